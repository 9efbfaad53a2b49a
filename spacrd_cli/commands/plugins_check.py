"""``spacrd plugins check``: check a component, or every component of a plugin, against the contract of its kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.options import ComponentName, Json, Overrides
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.config import ComponentSettings, read_config
from spacrd_core.errors import ContractError, SpacrdError
from spacrd_core.plugin_errors import PASSED_ON, describe_error
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spacrd_core.cards import Card
    from spacrd_core.plugins import Plugins, Registry

    Checks = list[tuple[Callable[[Any], None], Any]]
    Component = tuple[str, Registry[Any], Card]

CHECK_COLUMNS = ("kind", "name", Column("promise", prose=True), Column("kept", prose=True))
LISTED = "The plugin can be loaded and listed"
CREATED = "The component can be created"
ExamplePath = Annotated[Path | None, typer.Option("--example", metavar="PATH", help="Example section for a reader.")]


def check(name: ComponentName, example: ExamplePath = None, set_: Overrides = None, json: Json = False) -> None:
    """Check a component, or all of a plugin, against the contract of its kind. Set options with ``--set KEY=VALUE``."""
    out = Output(json=json)
    options = read_config(ComponentSettings, overrides=set_ or ()).options
    plugins = load_plugins()
    rows: list[tuple[str, str, str, str | None]] = [
        ("plugin", problem.plugin, LISTED, problem.sentence) for problem in plugins.problems_of(name)
    ]
    for component, registry, card in _components(plugins, name, options):
        rows += [
            (registry.kind, component, promise, broken)
            for promise, broken in _results(registry, card, component, options, example, named=component == name)
        ]
    document = [dict(zip(("kind", "name", "promise", "broken"), row, strict=True)) for row in rows]
    out.result(document, FittedTable(CHECK_COLUMNS, [(*row[:3], row[3] or "yes") for row in rows]))
    if any(broken for *_, broken in rows):
        raise typer.Exit(1)


def _components(plugins: Plugins, name: str, options: dict[str, Any]) -> Iterator[Component]:
    """Yield the components of this name and, unless options of one are given, all others of the plugin of this name."""
    others = [] if options else plugins.of_plugin(name)
    if not others or any(name in {card.name, *card.aliases} for _, card in others):
        for registry, card in plugins.find(name):
            yield name, registry, card
    for registry, card in others:
        if name not in {card.name, *card.aliases} and not card.family:
            yield card.name, registry, card


def _results(
    registry: Registry[Any], card: Card, component: str, options: dict[str, Any], example: Path | None, *, named: bool
) -> Iterator[tuple[str, str | None]]:
    """Yield the results of a component; one that cannot be created is an error only if the user has ``named`` it."""
    try:
        checks = _checks(registry, card, component, options, example)
    except SpacrdError as error:
        if named:
            raise
        yield CREATED, str(error)
    else:
        yield from _run(checks)


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
