"""Write everything a user takes away, as one unit: aside first, then into place."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError
from spacrd_core.files import sync
from spacrd_core.progress import Track, silent
from spacrd_core.results.cell_groups import opens_in_explorer, write_cell_groups
from spacrd_core.results.genes_csv import write_genes_csv
from spacrd_core.results.geojson import write_geojson
from spacrd_core.results.h5ad import write_h5ad
from spacrd_core.results.loupe import opens_in_loupe, write_loupe
from spacrd_core.results.manifest import write_manifest
from spacrd_core.results.overlay import write_overlay
from spacrd_core.results.report import write_report
from spacrd_core.results.section_view import SectionView, view_section
from spacrd_core.results.spots_csv import write_spots_csv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacrd_core.results.result import Provenance, SectionResult

MANIFEST = "manifest.json"
CALLED = ("threshold", "threshold_rule", "cancer", "normal", "uncertain")


def write_results(
    folder: Path, results: Iterable[SectionResult], provenance: Provenance, *, track: Track = silent
) -> list[Path]:
    """Write the files of every section, ``report.html`` and ``manifest.json``; return where they are.

    ``results`` is read one section at a time and may be a generator. Files of the same names are replaced. A folder
    with a manifest is whole: the old one goes before the first file is replaced, the new one comes last.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"results go into a folder, but {folder} is a file", hint="name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".spacrd-", dir=folder) as name:
        aside = Path(name)
        views = [_write_section(aside, result, provenance) for result in track(results, "writing results")]
        write_report(aside / "report.html", views, provenance)
        called = {str(view.summary["section"]): {name: view.summary[name] for name in CALLED} for view in views}
        write_manifest(aside / MANIFEST, list(aside.iterdir()), provenance, called)
        return _move_into_place(aside, folder)


def _write_section(folder: Path, result: SectionResult, provenance: Provenance) -> SectionView:
    stem = folder / result.section_id
    write_spots_csv(result, stem.with_name(f"{stem.name}.spots.csv"))
    if result.genes:
        write_genes_csv(result, stem.with_name(f"{stem.name}.genes.csv"))
    write_h5ad(result, stem.with_name(f"{stem.name}.h5ad"), provenance)
    write_geojson(result, stem.with_name(f"{stem.name}.geojson"))
    write_overlay(result, stem.with_name(f"{stem.name}.png"))
    if opens_in_loupe(result):
        write_loupe(result, stem.with_name(f"{stem.name}.loupe.csv"))
    if opens_in_explorer(result):
        write_cell_groups(result, stem.with_name(f"{stem.name}.cell_groups.csv"))
    return view_section(result)


def _move_into_place(aside: Path, folder: Path) -> list[Path]:
    names = sorted(file.name for file in aside.iterdir())
    names.remove(MANIFEST)
    (folder / MANIFEST).unlink(missing_ok=True)
    for name in (*names, MANIFEST):
        sync(aside / name)
        (aside / name).replace(folder / name)
    sync(folder)
    return [folder / name for name in (*names, MANIFEST)]
