"""Components of any kind by one name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_core.errors import UnknownName

if TYPE_CHECKING:
    from spacrd_core.cards import Card
    from spacrd_core.plugins import Plugins, Registry


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
