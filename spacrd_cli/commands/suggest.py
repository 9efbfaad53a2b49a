"""``spacrd suggest``: list and draw the spots that are most worth a pathologist's look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.commands.hub import report_origin
from spacrd_cli.options import DetectorFolder, Device, Json, Quiet, Sections, Store, Wide
from spacrd_cli.terminal.calls import LABELS
from spacrd_cli.terminal.messages import report
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.quoting import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

LABELLED = "every spot has a label"
SPOT_COLUMNS = ("rank", "spot", "called", "probability", Column("why", prose=True))
SECTION_COLUMNS = ("section", "suggested", "cancer", "normal", "uncertain")
SHOWN = ("rank", "probability", "label", "uncertainty", "disagreement", "ood", "reason")


def suggest(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for the files.")] = None,
    spots: Annotated[int, typer.Option("-n", "--spots", metavar="N", help="Number of spots of each section.")] = 20,
    section: Sections = None,
    device: Device = None,
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """List and draw the spots that are most worth a pathologist's look, for the next training."""
    out = Output(json=json, quiet=quiet, wide=wide)
    out.info(f"choosing spots of the sections of {store}")
    from spacrd_core import SpotStore, load_detector  # imports torch
    from spacrd_core.suggestion.suggest import suggest as choose_spots
    from spacrd_core.suggestion.write import require_suggestions_folder, write_suggestions

    target = SpotStore.open(store)
    sections = [entry.id for entry in target.choose(section)]
    if output:
        require_suggestions_folder(output, sections)
    loaded = load_detector(detector, device=device or "auto", track=out.track)
    report_origin(out, loaded.source)
    chosen = choose_spots(target, loaded, sections=sections, count=spots, device=device or "auto", track=out.track)
    files = write_suggestions(target, loaded.config.key, chosen, output, track=out.track) if output else {}
    document: dict[str, Any] = {
        "sections": {
            name: {"spots": _records(table), "files": [file.name for file in files.get(name, ())]}
            for name, table in chosen.items()
        },
        "failures": [],
        "detector": {"name": detector, "key": loaded.config.key, "head": loaded.config.head},
        "output": str(output) if output else None,
    }
    out.result(document, *_tables(chosen))
    report(out, [(name, LABELLED) for name, table in chosen.items() if not len(table)], ())
    if output:
        _how_labels_return(out, store, output, list(files))
    else:
        chosen_by = [word for name in section or () for word in ("--section", name)] + ["-n", str(spots)]
        out.info(f"no files were written: {command('suggest', store, detector, *chosen_by, '-o', 'DIR')}")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {"spot_id": spot, **row} for spot, row in zip(table.index, table[list(SHOWN)].to_dict("records"), strict=True)
    ]


def _tables(chosen: Mapping[str, pd.DataFrame]) -> Iterator[FittedTable]:
    """Yield the spots of a single section, or how many there are of each."""
    if len(chosen) == 1:
        table = next(iter(chosen.values()))
        columns = (table["rank"], table.index, table["label"], table["probability"].round(2), table["reason"])
        yield FittedTable(SPOT_COLUMNS, [list(row) for row in zip(*columns, strict=True)])
        return
    rows = [
        [name, len(table), *(int((table["label"] == each).sum()) for each in LABELS)] for name, table in chosen.items()
    ]
    yield FittedTable(SECTION_COLUMNS, rows)


def _how_labels_return(out: Output, store: Path, output: Path, sections: list[str]) -> None:
    """Say how the spots come back as labels."""
    if not sections:
        return
    section = sections[0] if len(sections) == 1 else "SECTION"
    out.info(f"written to {output}: import {section}.suggested.geojson in QuPath and give its spots a class, then")
    out.info(f"  {command('store', 'label', store, section, '--labels', 'corrected.geojson', '--add')}")
