"""``spacrd store label``: label a section of the store, and leave everything else as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spacrd_cli.options import Json, Quiet, SectionId, Store, Wide
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable

COLUMNS = ("section", "spots", "labelled", "cancer", "normal", Column("labels", 1), "status")


def label(
    store: Store,
    section: SectionId,
    labels: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Spot labels: a table, polygons, a mask, or a 0/1 vector.", show_default=False
        ),
    ],
    positive: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Label text that means cancer; repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Label text that means unknown; repeatable.")
    ] = None,
    section_in_labels: Annotated[
        str,
        typer.Option(
            "--label-section",
            metavar="TEXT",
            help="Which section to read from a label table of several: a barcode suffix such as -2, or a sample name.",
            show_default=False,
        ),
    ] = "",
    add: Annotated[bool, typer.Option("--add", help="Keep the labels of spots that FILE does not mention.")] = False,
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """Label a section of the store. Its counts, slide, embeddings and calls stay as they are."""
    from spacrd_core.ingestion.label import label_section
    from spacrd_core.store.store import SpotStore

    out = Output(json=json, quiet=quiet, wide=wide)
    done = label_section(
        SpotStore.open(store),
        section,
        labels,
        positive=positive or (),
        ignore=ignore or (),
        label_section=section_in_labels,
        add=add,
    )
    entry = done.entry
    counts = (entry.spots, entry.labelled, entry.cancer, entry.labelled - entry.cancer)
    row = (entry.id, *counts, entry.label_source, done.status)
    keys = ("id", "spots", "labelled", "cancer", "normal", "label_source", "status")
    document = {**dict(zip(keys, row, strict=True)), "notes": list(done.notes)}
    out.result(document, FittedTable(COLUMNS, [row]))
    for note in done.notes:
        out.info(f"{section}: {note}")
    if done.before.labelled and done.status == "labelled" and not add:
        out.info(f"{section}: these replace {done.before.labelled} labels of {done.before.label_source or 'its file'}")
