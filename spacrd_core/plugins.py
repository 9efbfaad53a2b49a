"""Find components by name: three registries filled from the entry points, and a list of problems.

pluggy's own ``load_setuptools_entrypoints`` is not used: it stops at the first broken plugin and silently drops
duplicate names. Here a broken plugin or a duplicate name is a :class:`Problem`, raised only when the name is used.
"""

from __future__ import annotations

import difflib
import importlib
import json
import reprlib
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy
from pydantic import ValidationError

from spacrd_core import hookspecs
from spacrd_core.cards import Card, ComponentOptions, EncoderCard, HeadCard, ReaderCard, Recipe
from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError, PluginError, UnknownName
from spacrd_core.plugin_errors import (
    DISTRIBUTION,
    GROUP,
    PASSED_ON,
    blamed,
    describe_error,
    distribution_of,
    installed_points,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from importlib.metadata import EntryPoint


MAX_CARDS = 1000  # of one hook; timm's two thousand networks are the members of one family
CardT = TypeVar("CardT", bound=Card)


@dataclass(frozen=True)
class Problem:
    """A problem with a plugin: its distribution and entry point, the name it affects (if any), and what happened."""

    plugin: str
    sentence: str
    kind: str = ""
    name: str = ""

    def is_of(self, name: str) -> bool:
        """Return whether this is a problem of a plugin of this name: its distribution's, its entry point's, or both."""
        return name in {self.plugin, *self.plugin.split(":")}

    def __str__(self) -> str:
        subject = f"{self.kind} '{self.name}'" if self.name else f"plugin {self.plugin}"
        return f"{subject}: {self.sentence}"


@dataclass(frozen=True)
class Registry(Generic[CardT]):
    """The components of one kind, by name and alias; read-only.

    ``plugins`` has the distribution and version behind every card that is not SpaCRD's own.
    """

    kind: str
    cards: tuple[CardT, ...]
    problems: tuple[Problem, ...] = ()
    plugins: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[CardT]:
        return iter(self.cards)

    def card(self, name: str) -> CardT:
        """Return the card of a name; ``family:member`` gives the card of the family.

        Raises
        ------
        UnknownName
            With the nearest spellings, or with the problem that affects the name.
        """
        if exact := [card for card in self.cards if name in card.aliases]:
            return exact[0]
        base, _, member = name.partition(":")
        for problem in self.problems:
            if problem.name == base:
                raise UnknownName(
                    f"{self.kind} '{base}' cannot be used: {problem.sentence}", hint="spacrd plugins list"
                )
        for card in self.cards:
            if base in (card.name, *card.aliases):
                return self._with_member(card, name, member)
        names = {spelling: card.name for card in self.cards for spelling in (card.name, *card.aliases)}
        nearest: dict[str, str] = {}  # one spelling per component
        for spelling in difflib.get_close_matches(base.lower(), names, n=3):
            nearest.setdefault(names[spelling], spelling)
        available = ", ".join(f"{card.name}:..." if card.family else card.name for card in self.cards) or "none"
        hint = f"did you mean {' or '.join(nearest.values())}?" if nearest else f"available: {available}"
        raise UnknownName(f"no {self.kind} is named '{name}'", hint=hint)

    def _with_member(self, card: CardT, name: str, member: str) -> CardT:
        """Return the card if a family has a member and any other component has none."""
        if card.family and not member:
            raise UnknownName(f"{self.kind} '{name}' is a family", hint=f"name a member: {card.name}:<name>")
        if member and not card.family:
            raise UnknownName(
                f"{self.kind} '{card.name}' is not a family, so it has no member '{member}'", hint=card.name
            )
        return card

    def canonical(self, name: str) -> str:
        """Return the name under which a component's results are stored: the card's, with the member of a family."""
        _, _, member = name.partition(":")
        card = self.card(name)
        return f"{card.name}:{member}" if card.family and name not in card.aliases else card.name

    def load(self, name: str) -> type[Any]:
        """Import and return the class behind a name."""
        card = self.card(name)
        module, _, attribute = card.target.partition(":")
        plugin = self.plugins.get(card.name, "")
        remedy = f"pip install 'spacrd[{card.extra}]'" if card.extra else f"spacrd plugins show {card.name}"
        try:
            return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
        except PASSED_ON:
            raise
        except BaseException as error:  # a third party's module may raise anything
            owner = f" of the plugin {plugin}" if plugin else ""
            raise PluginError(
                f"{self.kind} '{name}'{owner} could not be imported: {describe_error(error)}", hint=remedy
            ) from error

    def options(self, name: str, values: Mapping[str, object]) -> ComponentOptions:
        """Return a component's options; all mistakes are reported at once."""
        component = self.load(name)
        with self.blamed(name):
            return self._validated(name, component, values)

    def _validated(self, name: str, component: Any, values: Mapping[str, object]) -> ComponentOptions:
        model: type[ComponentOptions] | None = getattr(component, "Options", None)
        if model is None:
            raise PluginError(f"{self.kind} '{name}' has no Options", hint=f"spacrd plugins check {name}")
        try:
            return model.model_validate(dict(values))
        except ValidationError as error:
            options = ", ".join(model.model_fields) or "none"
            raise ConfigError(
                f"{self.kind} '{name}': " + "; ".join(mistakes(error)), hint=f"its options are: {options}"
            ) from error

    def create(self, name: str, values: Mapping[str, object] | None = None, **context: object) -> Any:
        """Return a new component, ``Class(options, **context)``; the card adds context such as ``member``.

        The recipe of a plugin's encoder gets its options and the version of the plugin, which its author may forget:
        embeddings by other options or another version have another key. SpaCRD's own encoders state what matters.
        """
        options = self.options(name, values or {})
        plugin = self.plugins.get(self.card(name).name, "")
        component_type = self.load(name)
        with self.blamed(name):
            component = component_type(options, **self.card(name).context(name), **context)
            if plugin and isinstance(getattr(component, "recipe", None), Recipe):
                self._complete_recipe(component, name, options, plugin)
        return component

    def blamed(self, name: str) -> AbstractContextManager[None]:
        """Return a context in which what a plugin's component raises becomes a :class:`PluginError` that names it."""
        return blamed(f"{self.kind} '{name}'", self.plugins.get(self.card(name).name, ""), name=name)

    def _complete_recipe(self, component: Any, name: str, options: ComponentOptions, plugin: str) -> None:
        try:
            component.recipe = component.recipe.completed(options.facts(), plugin)
        except AttributeError as error:
            raise PluginError(
                f"the recipe of {self.kind} '{name}' cannot be set, so its options and version cannot be added",
                hint="make recipe an attribute of the encoder",
            ) from error


@dataclass(frozen=True)
class Plugins:
    """All installed components in three registries, and all problems."""

    readers: Registry[ReaderCard]
    encoders: Registry[EncoderCard]
    heads: Registry[HeadCard]
    problems: tuple[Problem, ...]

    @property
    def registries(self) -> tuple[Registry[Any], ...]:
        """The three registries, in the order in which a command uses them."""
        return (self.readers, self.encoders, self.heads)

    def find(self, name: str) -> list[tuple[Registry[Any], Card]]:
        """Return the components of this name, which may be of several kinds.

        Raises
        ------
        ExceptionGroup
            With the error of every kind, if there is no such component.
        PluginError
            If it is a plugin, and one with a problem.
        """
        matches: list[tuple[Registry[Any], Card]] = []
        errors: list[PluginError] = []
        for registry in self.registries:
            try:
                matches.append((registry, registry.card(name)))
            except UnknownName as error:
                errors.append(error)
        if not matches and (problems := [problem for problem in self.problems if problem.is_of(name)]):
            raise PluginError("; ".join(map(str, problems)), hint=f"tell the author of {name}")
        if not matches:
            raise ExceptionGroup(f"no component is named '{name}'", errors)
        return matches


def load_plugins(points: Iterable[EntryPoint] | None = None) -> Plugins:
    """Return the components of all installed plugins without heavy imports.

    ``points`` replaces the installed entry points of the group ``spacrd``.
    """
    unread: Mapping[str, BaseException] = {}
    if points is None:
        points, unread = installed_points()
    problems = [
        Problem(plugin, f"its entry points cannot be read: {describe_error(error)}") for plugin, error in unread.items()
    ]
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    points = sorted(points, key=_plugin_name)
    for point in points:
        _register(manager, point, problems)
    problems.extend(_unknown_hooks(manager))
    versions = {_plugin_name(point): version_of(point) for point in points if point.dist}
    readers = _collect(manager, "reader", ReaderCard, problems, versions)
    encoders = _collect(manager, "encoder", EncoderCard, problems, versions)
    heads = _collect(manager, "head", HeadCard, problems, versions)
    return Plugins(readers, encoders, heads, tuple(problems))


def load_heads() -> Registry[Any]:
    """Return the heads of all installed plugins."""
    return load_plugins().heads


def _plugin_name(point: EntryPoint) -> str:
    return f"{distribution_of(point)}:{point.name}"


def _register(manager: pluggy.PluginManager, point: EntryPoint, problems: list[Problem]) -> None:
    name = _plugin_name(point)
    try:
        module = point.load()
        manager.register(module, name=name)
        has_hooks = bool(manager.get_hookcallers(module))
    except PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001 - a third party's module may raise anything; it must not end ours
        problems.append(Problem(name, f"{point.value} could not be loaded: {describe_error(error)}"))
        return
    if not has_hooks:
        problems.append(Problem(name, f"{point.value} has no function marked @hookimpl"))


def _unknown_hooks(manager: pluggy.PluginManager) -> list[Problem]:
    """Return a problem for every implemented hook that does not exist; pluggy silently ignores them."""
    hooks = [name for name in vars(hookspecs) if name.startswith(f"{GROUP}_")]
    return [
        Problem(implementation.plugin_name, f"'{name}' is not a hook; the hooks are {', '.join(hooks)}")
        for name, caller in vars(manager.hook).items()
        if name not in hooks
        for implementation in caller.get_hookimpls()
    ]


def _collect(
    manager: pluggy.PluginManager,
    kind: str,
    card_type: type[CardT],
    problems: list[Problem],
    versions: Mapping[str, str],
) -> Registry[CardT]:
    claims: dict[str, list[tuple[str, CardT]]] = defaultdict(list)
    for plugin, card in _cards(manager, kind, card_type, problems):
        for spelling in {card.name, *card.aliases}:
            claims[spelling].append((plugin, card))
    duplicates = [_duplicate(kind, name, owners) for name, owners in sorted(claims.items()) if len(owners) > 1]
    problems.extend(duplicates)
    refused = {problem.name for problem in duplicates}
    cards = {card.name: card for owners in claims.values() for _, card in owners if card.name not in refused}
    plugins = {card.name: versions.get(plugin, plugin) for owners in claims.values() for plugin, card in owners}
    others = {name: plugin for name, plugin in plugins.items() if plugin.partition(" ")[0] != DISTRIBUTION}
    return Registry(kind, tuple(cards[name] for name in sorted(cards)), tuple(duplicates), others)


def _cards(
    manager: pluggy.PluginManager, kind: str, card_type: type[CardT], problems: list[Problem]
) -> Iterator[tuple[str, CardT]]:
    for implementation in getattr(manager.hook, f"{GROUP}_{kind}s").get_hookimpls():
        plugin = implementation.plugin_name
        try:
            cards = tuple(islice(implementation.function(), MAX_CARDS + 1))
            faults = [_fault(card, card_type) for card in cards]
        except PASSED_ON:
            raise
        except BaseException as error:  # noqa: BLE001 - as above
            problems.append(Problem(plugin, f"its {kind}s could not be listed: {describe_error(error)}", kind))
            continue
        if len(cards) > MAX_CARDS:
            problems.append(Problem(plugin, f"returned more than {MAX_CARDS} {kind}s, of which none is used", kind))
            continue
        problems.extend(Problem(plugin, fault, kind) for fault in faults if fault)
        yield from ((plugin, card) for card, fault in zip(cards, faults, strict=True) if not fault)


def _fault(card: object, card_type: type[Card]) -> str:
    """Return what is wrong with what a hook returned as a card; '' for a card of which every fact can be listed."""
    if not isinstance(card, card_type):
        return f"returned {reprlib.repr(card)} instead of a {card_type.__name__}"
    try:
        describe(card)
    except (TypeError, ValueError, RecursionError) as error:
        return f"the card '{card.name}' cannot be listed: {describe_error(error)}"
    return ""


def _duplicate(kind: str, name: str, owners: list[tuple[str, Any]]) -> Problem:
    plugins = sorted({plugin for plugin, _ in owners})
    return Problem(", ".join(plugins), f"the name is claimed by {' and '.join(plugins)}", kind, name)


def describe(card: Card) -> dict[str, object]:
    """Return a card as JSON-able values."""
    facts: dict[str, object] = json.loads(json.dumps(asdict(card)))
    return facts
