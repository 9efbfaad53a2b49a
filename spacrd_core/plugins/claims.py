"""Which plugin a name belongs to: a name that several claim belongs to none, and the others are not affected."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from spacrd_core.plugin_errors import DISTRIBUTION
from spacrd_core.plugins.problem import Problem
from spacrd_core.plugins.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.plugins.cards import CardT


def registry_of(kind: str, cards: Sequence[tuple[str, CardT]], versions: Mapping[str, str]) -> Registry[CardT]:
    """Return the registry of the cards of all plugins, without those whose name another plugin claims, too."""
    claims: dict[str, list[str]] = defaultdict(list)
    for plugin, card in cards:
        for spelling in {card.name, *card.aliases}:
            claims[spelling].append(plugin)
    duplicates = [_duplicate(kind, name, owners) for name, owners in sorted(claims.items()) if len(owners) > 1]
    refused = {problem.name for problem in duplicates}
    unique = {card.name: card for _, card in cards if card.name not in refused}
    points = {card.name: plugin for plugin, card in cards}
    origins = {name: versions.get(plugin, plugin) for name, plugin in points.items()}
    others = {name: origin for name, origin in origins.items() if origin.partition(" ")[0] != DISTRIBUTION}
    return Registry(kind, tuple(unique[name] for name in sorted(unique)), tuple(duplicates), others, points)


def _duplicate(kind: str, name: str, owners: Sequence[str]) -> Problem:
    plugins = sorted({*owners})
    return Problem(", ".join(plugins), f"the name is claimed by {' and '.join(plugins)}", kind, name)
