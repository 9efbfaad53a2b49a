"""``spacrd store``: list, show, label and remove the sections of a store, verify it, remove unused groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.command_help import SETTINGS, Command, Group
from spacrd_cli.commands.store_label import label
from spacrd_cli.commands.store_rm import remove
from spacrd_cli.commands.store_show import show
from spacrd_cli.options import Json, Quiet, Store, Wide
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.errors import CorruptStore

if TYPE_CHECKING:
    from spacrd_core.store.manifest import SectionEntry

SECTION_COLUMNS = (
    "section",
    Column("patient", 1),
    Column("platform", 2),
    "spots",
    Column("genes", 3),
    Column("um/px", 4),
    "labelled",
    "cancer",
    Column("image", 1),
    Column("embeddings", 1),
    Column("predictions", 3),
)

app = typer.Typer(
    cls=Group,
    context_settings=SETTINGS,
    help="List, show, label and remove the sections of a store, verify it, remove unused groups.",
    no_args_is_help=True,
)


@app.command("ls", cls=Command)
def list_sections(store: Store, json: Json = False, wide: Wide = False) -> None:
    """List the sections, their embeddings and predictions."""
    from spacrd_core.store.folder import StoreFolder

    entries = StoreFolder.open(store).entries.values()
    rows = [
        [
            *(e.id, e.patient, e.platform, e.spots, e.genes, round(e.um_per_px, 4), e.labelled or None),
            *(e.cancer if e.labelled else None, e.slide is not None, _encoders(e), list(e.predictions)),
        ]
        for e in entries
    ]
    Output(json=json, wide=wide).result(
        {"store": str(store), "sections": {entry.id: entry.model_dump(mode="json") for entry in entries}},
        FittedTable(SECTION_COLUMNS, rows),
    )


def _encoders(entry: SectionEntry) -> list[str]:
    return sorted({record.encoder for record in entry.embeddings.values()})


app.command(cls=Command)(show)
app.command(cls=Command)(label)
app.command("rm", cls=Command)(remove)


@app.command(cls=Command)
def verify(store: Store, json: Json = False, quiet: Quiet = False) -> None:
    """Verify the checksum of every stored group."""
    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.repair import REPAIR_ALL
    from spacrd_core.store.verify import verify as find_damage
    from spacrd_core.store.verify import without_layout

    out = Output(json=json, quiet=quiet)
    target = StoreFolder.open(store)
    findings = find_damage(target, track=out.track)
    groups = sum(len(entry.groups) for entry in target.entries.values())
    earlier = without_layout(target)
    document = {"groups": groups, "findings": findings, "of_earlier_version": earlier}
    out.result(document, f"{groups} groups, {len(findings)} damaged or unreadable", *findings)
    if earlier:
        out.warn(
            f"{earlier} of {groups} groups are of an earlier version: spacrd store verify finds damage in them, but "
            "commands that read them may not. ingest --replace, embed --again and detect write them anew"
        )
    if findings:
        raise CorruptStore(
            f"{len(findings)} of {groups} groups in {store} are damaged or cannot be read",
            hint=REPAIR_ALL,
        )


@app.command(cls=Command)
def gc(
    store: Store,
    all_: Annotated[
        bool, typer.Option("--all", help="Include groups changed in the last hour; no other command may be running.")
    ] = False,
    json: Json = False,
) -> None:
    """Remove superseded groups and unfinished work, which the manifest does not list."""
    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.garbage import GRACE_SECONDS, collect_garbage, find_links

    out, target = Output(json=json), StoreFolder.open(store)
    removed = collect_garbage(target, grace_seconds=0.0 if all_ else GRACE_SECONDS)
    names = [str(folder.relative_to(store)) for folder in removed]
    links = [str(link.relative_to(store)) for link in find_links(target)]
    out.result({"removed": names, "links": links}, *(names or ["nothing to remove"]))
    for link in links:
        out.warn(f"{link} is a link; it was left as it is, and nothing behind it was read or removed")
