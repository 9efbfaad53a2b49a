"""``spacrd store rm``: remove sections from a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.options import Json, Quiet, Store, Wide
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable

if TYPE_CHECKING:
    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.manifest import SectionEntry

COLUMNS = (
    *("removed", Column("patient", 1), Column("platform", 2), "spots", "labelled", Column("image", 2)),
    *(Column("embeddings", 3), Column("calls", 3), "MB"),
)


def remove(
    store: Store,
    sections: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...", help="Sections to remove; if one is not in the store, none is removed.", show_default=False
        ),
    ],
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """Remove sections with their slides, embeddings and calls. Their files are freed by ``store gc``."""
    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.remove import freed_bytes, remove_sections

    out, target = Output(json=json, quiet=quiet, wide=wide), StoreFolder.open(store)
    removed = remove_sections(target, sections)
    documents = [_document(target, entry) for entry in removed]
    rows = [[*list(item.values())[:-1], item["bytes"] / 1e6] for item in documents]
    out.result({"removed": documents}, FittedTable(COLUMNS, rows))
    megabytes = freed_bytes(target, removed) / 1e6
    out.info(f"spacrd store gc {store} frees their {megabytes:.3g} MB in an hour, when nobody reads them any more")


def _document(store: StoreFolder, entry: SectionEntry) -> dict[str, Any]:
    from spacrd_core.store.remove import stored_bytes

    return {
        "id": entry.id,
        "patient": entry.patient,
        "platform": entry.platform,
        "spots": entry.spots,
        "labelled": entry.labelled,
        "image": entry.slide is not None,
        "embeddings": [record.encoder for record in entry.embeddings.values()],
        "calls": list(entry.predictions),
        "bytes": stored_bytes(store, entry),
    }
