"""The components of one kind: find a card by its name, import its class, and create the component."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError

from spacrd_core.cards import Card, ComponentOptions, Recipe
from spacrd_core.config import mistakes
from spacrd_core.errors import ConfigError, PluginError, UnknownName
from spacrd_core.plugin_errors import PASSED_ON, blamed, describe_error, unmoved
from spacrd_core.plugins.spelling import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from spacrd_core.plugins.problem import Problem

CardT = TypeVar("CardT", bound=Card)


@dataclass(frozen=True)
class Registry(Generic[CardT]):
    """The components of one kind, by name and alias; read-only.

    ``plugins`` has the distribution and version behind every card that is not SpaCRD's own, ``points`` the distribution
    and entry point behind every card.
    """

    kind: str
    cards: tuple[CardT, ...]
    problems: tuple[Problem, ...] = ()
    plugins: Mapping[str, str] = field(default_factory=dict)
    points: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[CardT]:
        return iter(self.cards)

    def card(self, name: str) -> CardT:
        """Return the card of a name; ``family:member`` gives the card of the family.

        Raises
        ------
        UnknownName
            With the nearest spellings, or with the problem that affects the name.
        """
        base, _, member = name.partition(":")
        for problem in self.problems:
            if problem.name in {name, base}:
                raise UnknownName(
                    f"{self.kind} '{problem.name}' cannot be used: {problem.sentence}", hint="spacrd plugins list"
                )
        if exact := [card for card in self.cards if name in card.aliases]:
            return exact[0]
        for card in self.cards:
            if base in (card.name, *card.aliases):
                return self._with_member(card, name, member)
        raise unknown_name(self.kind, name, base, self.cards)

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
            with unmoved():
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
