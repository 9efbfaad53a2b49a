"""``spacrd export``: the latest calls in the store, as files of one format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.options import Json, Quiet, Sections, Store
from spacrd_cli.output import Output
from spacrd_core.errors import ConfigError, UnknownSection

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.results.result import Provenance, SectionResult
    from spacrd_core.store.manifest import SectionEntry

    Writer = Callable[[SectionResult, Path, Provenance], None]

SUFFIXES = {
    "h5ad": "h5ad",
    "csv": "spots.csv",
    "geojson": "geojson",
    "loupe": "loupe.csv",
    "xenium": "cell_groups.csv",
    "spatialdata": "spatialdata.zarr",
}
PLATFORM = {"xenium": "xenium"}  # the only one whose sections a format can show


def export(
    store: Store,
    format_: Annotated[
        str, typer.Option("--format", metavar="h5ad|csv|geojson|loupe|xenium|spatialdata", help="What to write.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to write it.")],
    section: Sections = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the latest calls of every section in one format."""
    write = _writer(format_)
    from spacrd_core.results.collect import how_called, provenance, section_result
    from spacrd_core.store.store import SpotStore

    out = Output(json=json, quiet=quiet)
    target = SpotStore.open(store)
    chosen = [e.id for e in target.choose(tuple(section or ())) if section or (e.predictions and _fits(e, format_))]
    if not chosen:
        kind = f" of {PLATFORM[format_]} sections" if format_ in PLATFORM else ""
        raise UnknownSection(f"{store} holds no calls{kind} yet", hint=f"spacrd detect {store} DETECTOR")
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for name in out.track(chosen, "exporting", len(chosen)):
        spots, detector = target.predictions(name)
        file = output / f"{name}.{SUFFIXES[format_]}"
        origin = provenance(detector, [how_called(spots, detector)])
        write(section_result(target, name, spots, detector), file, origin)
        written.append(str(file))
    out.result({"written": written}, *written)


def _fits(entry: SectionEntry, format_: str) -> bool:
    return entry.platform == PLATFORM.get(format_, entry.platform)


def _writer(name: str) -> Writer:
    if name not in SUFFIXES:
        raise ConfigError(f"there is no format '{name}'", hint=f"--format {', '.join(SUFFIXES)}")
    from spacrd_core.results.cell_groups import write_cell_groups
    from spacrd_core.results.geojson import write_geojson
    from spacrd_core.results.h5ad import write_h5ad
    from spacrd_core.results.loupe import write_loupe
    from spacrd_core.results.spatial_data import write_spatialdata
    from spacrd_core.results.spots_csv import write_spots_csv

    writers: dict[str, Writer] = {
        "h5ad": write_h5ad,
        "csv": lambda result, file, _: write_spots_csv(result, file),
        "geojson": lambda result, file, _: write_geojson(result, file),
        "loupe": lambda result, file, _: write_loupe(result, file),
        "xenium": lambda result, file, _: write_cell_groups(result, file),
        "spatialdata": write_spatialdata,
    }
    return writers[name]
