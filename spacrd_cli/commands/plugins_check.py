"""``spacrd plugins check``: whether a component keeps the contract of its kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.options import ComponentName, Json, Overrides
from spacrd_cli.terminal.output import Output, table
from spacrd_core.config import ComponentSettings, read_config
from spacrd_core.errors import ContractError
from spacrd_core.plugins import load_plugins, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spacrd_core.cards import Card
    from spacrd_core.plugins import Registry

    Promises = list[tuple[Callable[[Any], None], Any]]

COLUMNS = ("kind", "promise", "kept")
Example = Annotated[Path | None, typer.Option("--example", metavar="PATH", help="A section that a reader is to read.")]


def check(name: ComponentName, example: Example = None, set_: Overrides = None, json: Json = False) -> None:
    """Check that a component keeps the contract of its kind; its own options as ``--set KEY=VALUE``."""
    out = Output(json=json)
    options = read_config(ComponentSettings, overrides=set_ or ()).options
    found = [
        (registry.kind, promise, broken)
        for registry, card in named(load_plugins(), name)
        for promise, broken in _kept(_promises(registry, card, name, options, example))
    ]
    document = [dict(zip(("kind", "promise", "broken"), row, strict=True)) for row in found]
    out.result(document, table(COLUMNS, [(kind, promise, broken or "yes") for kind, promise, broken in found]))
    if any(broken for _, _, broken in found):
        raise typer.Exit(1)


def _kept(promises: Promises) -> Iterator[tuple[str, str | None]]:
    """Give every promise as a sentence, and the sentence that says how it is broken."""
    for promise, subject in promises:
        sentence = (promise.__doc__ or promise.__name__).splitlines()[0].rstrip(".")
        try:
            promise(subject)
        except ContractError as error:
            yield sentence, str(error)
        except Exception as error:  # noqa: BLE001 - a component on trial may raise anything
            yield sentence, f"it raised {type(error).__name__}: {error}"
        else:
            yield sentence, None


def _promises(
    registry: Registry[Any], card: Card, name: str, options: dict[str, Any], example: Path | None
) -> Promises:
    """Return every promise of a component's kind, with what it is asked of."""
    from spacrd_core import contracts  # torch arrives here, not sooner
    from spacrd_core.contracts.encoder import keeps_to_its_card
    from spacrd_core.contracts.reader import read_example

    if registry.kind == "head":
        return [(promise, lambda dims: registry.create(name, options, dims=dims)) for promise in contracts.HEAD_CHECKS]
    component = registry.create(name, options)
    if registry.kind == "encoder":
        return [*((promise, component) for promise in contracts.ENCODER_CHECKS), (keeps_to_its_card, (card, component))]
    promises: Promises = [(promise, component) for promise in contracts.READER_CHECKS]
    if example:
        section = read_example(component, example)
        promises += [(promise, section) for promise in contracts.SECTION_CHECKS]
    return promises
