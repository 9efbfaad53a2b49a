"""``spacrd plugins check``: check a component against the contract of its kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.options import ComponentName, Json, Overrides
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.config import ComponentSettings, read_config
from spacrd_core.errors import ContractError
from spacrd_core.plugin_errors import PASSED_ON, describe_error
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spacrd_core.cards import Card
    from spacrd_core.plugins import Registry

    Checks = list[tuple[Callable[[Any], None], Any]]

CHECK_COLUMNS = ("kind", Column("promise", prose=True), Column("kept", prose=True))
ExamplePath = Annotated[Path | None, typer.Option("--example", metavar="PATH", help="Example section for a reader.")]


def check(name: ComponentName, example: ExamplePath = None, set_: Overrides = None, json: Json = False) -> None:
    """Check a component against the contract of its kind. Set its options with ``--set KEY=VALUE``."""
    out = Output(json=json)
    options = read_config(ComponentSettings, overrides=set_ or ()).options
    results = [
        (registry.kind, promise, broken)
        for registry, card in load_plugins().find(name)
        for promise, broken in _run(_checks(registry, card, name, options, example))
    ]
    document = [dict(zip(("kind", "promise", "broken"), row, strict=True)) for row in results]
    out.result(
        document, FittedTable(CHECK_COLUMNS, [(kind, promise, broken or "yes") for kind, promise, broken in results])
    )
    if any(broken for _, _, broken in results):
        raise typer.Exit(1)


def _run(checks: Checks) -> Iterator[tuple[str, str | None]]:
    """Yield every promise as a sentence, and the error that breaks it or None."""
    for promise, subject in checks:
        sentence = (promise.__doc__ or promise.__name__).splitlines()[0].rstrip(".")
        try:
            promise(subject)
        except ContractError as error:
            yield sentence, str(error)
        except PASSED_ON:
            raise
        except BaseException as error:  # noqa: BLE001 - a component under test may raise anything
            yield sentence, f"it raised {describe_error(error)}"
        else:
            yield sentence, None


def _checks(registry: Registry[Any], card: Card, name: str, options: dict[str, Any], example: Path | None) -> Checks:
    """Return every check of a component's kind, each with its argument."""
    from spacrd_core import contracts  # imports torch
    from spacrd_core.contracts.encoder import matches_its_card
    from spacrd_core.contracts.reader import Example, read_example

    if registry.kind == "head":
        return [(promise, lambda dims: registry.create(name, options, dims=dims)) for promise in contracts.HEAD_CHECKS]
    component = registry.create(name, options)
    if registry.kind == "encoder":
        return [*((promise, component) for promise in contracts.ENCODER_CHECKS), (matches_its_card, (card, component))]
    checks: Checks = [(promise, component) for promise in contracts.READER_CHECKS]
    if example:
        section = read_example(component, example)
        checks += [(promise, section) for promise in contracts.SECTION_CHECKS]
        checks += [(promise, Example(component, example)) for promise in contracts.EXAMPLE_CHECKS]
    return checks
