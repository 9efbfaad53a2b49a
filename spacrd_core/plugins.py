"""Find components by name: one loop over the entry points, three registries, and a list of what went wrong.

pluggy's own ``load_setuptools_entrypoints`` is not used: it stops at the first broken plugin and drops equal names in
silence. Here a broken plugin or a name claimed twice is a :class:`Problem`, raised only to whoever asks for that name.
"""

from __future__ import annotations

import difflib
import importlib
import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy
from pydantic import ValidationError

from spacrd_core import hookspecs
from spacrd_core.cards import Card, ComponentOptions, EncoderCard, HeadCard, ReaderCard
from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError, PluginError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


GROUP = "spacrd"
CardT = TypeVar("CardT", bound=Card)


@dataclass(frozen=True)
class Problem:
    """Something wrong with a plugin: where it comes from, which name it spoils (if one), and what happened."""

    plugin: str
    sentence: str
    kind: str = ""
    name: str = ""

    def __str__(self) -> str:
        subject = f"{self.kind} '{self.name}'" if self.name else f"plugin {self.plugin}"
        return f"{subject}: {self.sentence}"


@dataclass(frozen=True)
class Registry(Generic[CardT]):
    """The components of one kind, by name and alias; read-only."""

    kind: str
    cards: tuple[CardT, ...]
    problems: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[CardT]:
        return iter(self.cards)

    def card(self, name: str) -> CardT:
        """Return the card a name stands for; ``family:rest`` names give the family's card.

        Raises
        ------
        UnknownName
            With the nearest spellings, or with the problem that spoils the name.
        """
        head, _, rest = name.partition(":")
        for problem in self.problems:
            if problem.name == head:
                raise UnknownName(
                    f"{self.kind} '{head}' cannot be used: {problem.sentence}", hint="spacrd plugins list"
                )
        for card in self.cards:
            if head in (card.name, *card.aliases):
                return self._checked(card, name, rest)
        known = {spelling: card.name for card in self.cards for spelling in (card.name, *card.aliases)}
        near: dict[str, str] = {}  # of each component its nearest spelling alone
        for spelling in difflib.get_close_matches(head.lower(), known, n=3):
            near.setdefault(known[spelling], spelling)
        options = ", ".join(f"{card.name}:..." if card.family else card.name for card in self.cards) or "none"
        hint = f"did you mean {' or '.join(near.values())}?" if near else f"there are: {options}"
        raise UnknownName(f"no {self.kind} is named '{name}'", hint=hint)

    def _checked(self, card: CardT, name: str, rest: str) -> CardT:
        if card.family and not rest:
            raise UnknownName(f"{self.kind} '{name}' is a family", hint=f"name a member: {card.name}:<name>")
        if rest and not card.family:
            raise UnknownName(f"{self.kind} '{card.name}' is not a family, so '{name}' names nothing", hint=card.name)
        return card

    def canonical(self, name: str) -> str:
        """Return the one name under which a component's work is kept: its card's, with the member of a family."""
        _, _, rest = name.partition(":")
        card = self.card(name)
        return f"{card.name}:{rest}" if card.family else card.name

    def load(self, name: str) -> type[Any]:
        """Import and return the class behind a name."""
        card = self.card(name)
        module, _, attribute = card.target.partition(":")
        remedy = f"pip install 'spacrd[{card.extra}]'" if card.extra else f"spacrd plugins show {card.name}"
        try:
            return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
        except Exception as error:  # a third party's module may raise anything
            raise PluginError(f"{self.kind} '{name}' could not be imported: {_said(error)}", hint=remedy) from error

    def options(self, name: str, values: Mapping[str, object]) -> ComponentOptions:
        """Return a component's options, all mistakes reported at once."""
        model: type[ComponentOptions] | None = getattr(self.load(name), "Options", None)
        if model is None:
            raise PluginError(f"{self.kind} '{name}' has no Options", hint=f"spacrd plugins check {name}")
        try:
            return model.model_validate(dict(values))
        except ValidationError as error:
            known = ", ".join(model.model_fields) or "none"
            raise ConfigError(
                f"{self.kind} '{name}': " + "; ".join(mistakes(error)), hint=f"its options are: {known}"
            ) from error

    def create(self, name: str, values: Mapping[str, object] | None = None, **context: object) -> Any:
        """Return a new component: ``Class(options, **context)``, with what its card adds (a family's ``member``)."""
        options = self.options(name, values or {})
        return self.load(name)(options, **self.card(name).context(name), **context)


@dataclass(frozen=True)
class Plugins:
    """Everything that was found: three registries and the problems."""

    readers: Registry[ReaderCard]
    encoders: Registry[EncoderCard]
    heads: Registry[HeadCard]
    problems: tuple[Problem, ...]


def load_plugins(found: Iterable[EntryPoint] | None = None) -> Plugins:
    """Return the components of every installed plugin; nothing heavy is imported.

    ``found`` stands in for the installed entry points of the group ``spacrd``.
    """
    points = entry_points(group=GROUP) if found is None else found
    problems: list[Problem] = []
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    for point in sorted(points, key=_plugin_name):
        _register(manager, point, problems)
    problems.extend(_misspelt(manager))
    readers = _collect(manager, "reader", ReaderCard, problems)
    encoders = _collect(manager, "encoder", EncoderCard, problems)
    heads = _collect(manager, "head", HeadCard, problems)
    return Plugins(readers, encoders, heads, tuple(problems))


def _plugin_name(point: EntryPoint) -> str:
    return f"{point.dist.name if point.dist else '?'}:{point.name}"


def _register(manager: pluggy.PluginManager, point: EntryPoint, problems: list[Problem]) -> None:
    name = _plugin_name(point)
    try:
        module = point.load()
        manager.register(module, name=name)
    except Exception as error:  # noqa: BLE001 - a third party's module may raise anything; it must not end ours
        problems.append(Problem(name, f"{point.value} could not be loaded: {_said(error)}"))
        return
    if not manager.get_hookcallers(module):
        problems.append(Problem(name, f"{point.value} has no function marked @hookimpl"))


def _misspelt(manager: pluggy.PluginManager) -> list[Problem]:
    """Return the hooks that plugins implement and nobody calls: pluggy passes over them in silence."""
    hooks = [name for name in vars(hookspecs) if name.startswith(f"{GROUP}_")]
    return [
        Problem(implementation.plugin_name, f"'{name}' is no hook; the hooks are {', '.join(hooks)}")
        for name, caller in vars(manager.hook).items()
        if name not in hooks
        for implementation in caller.get_hookimpls()
    ]


def _collect(
    manager: pluggy.PluginManager, kind: str, card_type: type[CardT], problems: list[Problem]
) -> Registry[CardT]:
    claims: dict[str, list[tuple[str, CardT]]] = defaultdict(list)
    for plugin, card in _cards(manager, kind, card_type, problems):
        for spelling in {card.name, *card.aliases}:
            claims[spelling].append((plugin, card))
    spoiled = [_claimed_twice(kind, name, holders) for name, holders in sorted(claims.items()) if len(holders) > 1]
    problems.extend(spoiled)
    bad = {problem.name for problem in spoiled}
    kept = {card.name: card for holders in claims.values() for _, card in holders if card.name not in bad}
    return Registry(kind, tuple(kept[name] for name in sorted(kept)), tuple(spoiled))


def _cards(
    manager: pluggy.PluginManager, kind: str, card_type: type[CardT], problems: list[Problem]
) -> Iterator[tuple[str, CardT]]:
    for implementation in getattr(manager.hook, f"{GROUP}_{kind}s").get_hookimpls():
        plugin = implementation.plugin_name
        try:
            cards = tuple(implementation.function())
        except Exception as error:  # noqa: BLE001 - as above
            problems.append(Problem(plugin, f"its {kind}s could not be listed: {_said(error)}", kind))
            continue
        for card in cards:
            if isinstance(card, card_type):
                yield plugin, card
            else:
                problems.append(Problem(plugin, f"gave {card!r} where a {card_type.__name__} was wanted", kind))


def _claimed_twice(kind: str, name: str, holders: list[tuple[str, Any]]) -> Problem:
    plugins = sorted({plugin for plugin, _ in holders})
    return Problem(", ".join(plugins), f"the name is claimed by {' and '.join(plugins)}", kind, name)


def describe(card: Card) -> dict[str, object]:
    """Return a card as JSON-able facts."""
    facts: dict[str, object] = json.loads(json.dumps(asdict(card)))
    return facts


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def registries(found: Plugins) -> tuple[Registry[Any], ...]:
    """Return the three registries, in the order of the work."""
    return (found.readers, found.encoders, found.heads)


def named(found: Plugins, name: str) -> list[tuple[Registry[Any], Card]]:
    """Return every kind's component of a name."""
    chosen, refusals = [], []
    for registry in registries(found):
        try:
            chosen.append((registry, registry.card(name)))
        except UnknownName as error:
            refusals.append(error)
    if not chosen:
        raise ExceptionGroup(f"nothing is named '{name}'", refusals)
    return chosen
