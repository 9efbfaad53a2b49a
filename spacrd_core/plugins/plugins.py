"""All installed components, and the problems of plugins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import PluginError, UnknownName
from spacrd_core.plugin_errors import DISTRIBUTION
from spacrd_core.plugins.problem import is_named

if TYPE_CHECKING:
    from spacrd_core.cards import Card, EncoderCard, HeadCard, ReaderCard
    from spacrd_core.plugins.problem import Problem
    from spacrd_core.plugins.registry import Registry


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

    def of_plugin(self, name: str) -> list[tuple[Registry[Any], Card]]:
        """Return all components of the plugin of this name: its distribution's, or its entry point's.

        SpaCRD's own components are not those of a plugin.
        """
        return [
            (registry, card)
            for registry in self.registries
            for card in registry
            if card.name in registry.plugins and is_named(registry.points[card.name], name)
        ]

    def problems_of(self, name: str) -> list[Problem]:
        """Return the problems of the plugin of this name; SpaCRD's own components have none."""
        return [problem for problem in self.problems if name != DISTRIBUTION and problem.is_of(name)]
