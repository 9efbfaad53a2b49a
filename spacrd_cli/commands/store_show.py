"""``spacrd store show``: what a section of the store is, and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.options import Json, Store
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILURE_COLUMNS = ("section", Column("error", prose=True))
OneSection = Annotated[str | None, typer.Argument(metavar="[ID]", help="Section to show.", show_default="all")]


def show(store: Store, section: OneSection = None, json: Json = False) -> None:
    """Show what a section is: its size, slide, labels, embeddings, calls, notes and source files."""
    from spacrd_core.store.describe import describe_section
    from spacrd_core.store.failures import read_failures
    from spacrd_core.store.store import SpotStore

    target = SpotStore.open(store)
    described = [describe_section(target, entry.id) for entry in target.choose(section)]
    failures = [failure for failure in read_failures(target) if section in {None, failure.section}]
    missing = [failure for failure in failures if failure.section not in target.entries]
    tables = [FittedTable(("", Column("", prose=True)), _rows(item), title=item["id"]) for item in described]
    if missing:
        tables.append(
            FittedTable(FAILURE_COLUMNS, [[each.section, each.error] for each in missing], title="not ingested")
        )
    document = {
        "store": str(store),
        "sections": {item["id"]: item for item in described},
        "failures": [failure.model_dump(include={"section", "step", "error", "hint"}) for failure in failures],
    }
    Output(json=json).result(document, *tables)


def _rows(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines of one section: what a line is about, and what it says."""
    yield "patient", item["patient"]
    yield "platform", item["platform"]
    yield "spots", f"{item['spots']}, {item['spot_um']:g} um {item['spot_shape']}, pitch {item['pitch_um']:g} um"
    yield "genes", str(item["genes"])
    yield "um/px", f"{item['um_per_px']:.4g}"
    yield "slide", _slide(item["slide"])
    yield from _labels(item["labels"])
    yield from _lines("embeddings", [_embedding(each) for each in item["embeddings"]])
    yield from _lines("calls", [_calls(each) for each in item["calls"]])
    yield from _lines("notes", item["notes"])
    if item["failures"]:
        yield from _lines("failed", [f"{each['step']}: {each['error']}" for each in item["failures"]])
    yield from _lines("sources", [f"{source['role']}: {source['path']}" for source in item["sources"]])
    yield "size", f"{item['bytes'] / 1e6:.3g} MB"


def _lines(name: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Yield one line per text, the first with the name; a dash if there is none."""
    for index, text in enumerate(texts or [""]):
        yield " " if index else name, text


def _slide(slide: dict[str, Any] | None) -> str:
    if slide is None:
        return ""
    size = f"{slide['width_px']} x {slide['height_px']} px at {slide['um_per_px']:.4g} um/px"
    return f"{size}, {slide['compression']}, from {slide['image']}"


def _labels(labels: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    if labels is None:
        yield "labels", ""
        return
    source = labels["source"] or "the section's own file"
    texts = [
        f"{each.get('annotation') or 'no text'}: {each['spots']} {each['label'] or 'unknown'}"
        for each in labels["texts"]
    ]
    counts = f"{labels['labelled']} from {source}: {labels['cancer']} cancer, {labels['normal']} normal"
    yield from _lines("labels", [counts, *texts])


def _embedding(embedding: dict[str, Any]) -> str:
    options = "".join(f", {key}={value}" for key, value in embedding["options"].items())
    used = "" if embedding["latest"] else ", not the latest by this encoder"
    plugin = f" ({embedding['plugin']})" if embedding["plugin"] else ""
    return f"{embedding['encoder']}{plugin}{options}: {embedding['dim']} numbers, recipe {embedding['recipe']}{used}"


def _calls(calls: dict[str, Any]) -> str:
    spots = ", ".join(f"{count} {label}" for label, count in calls["spots"].items())
    encoder = f" with {calls['encoder']}" if calls["encoder"] else ""
    trained = f", trained on {', '.join(calls['trained_on'])}" if calls["trained_on"] else ""
    return f"detector {calls['detector']} ({calls['head']}{encoder}{trained}): {spots}"
