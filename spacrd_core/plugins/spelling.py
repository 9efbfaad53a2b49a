"""The error for a name that no component has, with the nearest spellings."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from spacrd_core.errors import UnknownName
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cards import Card


def unknown_name(kind: str, name: str, base: str, cards: Sequence[Card]) -> UnknownName:
    """Return the error for a name, whose part before a colon is ``base``; without a near spelling, it lists all."""
    spellings = {spelling: card.name for card in cards for spelling in (card.name, *card.aliases)}
    nearest: dict[str, str] = {}  # one spelling per component
    for spelling in difflib.get_close_matches(shortened(base).lower(), spellings, n=3):
        nearest.setdefault(spellings[spelling], spelling)
    available = ", ".join(f"{card.name}:..." if card.family else card.name for card in cards) or "none"
    hint = f"did you mean {' or '.join(nearest.values())}?" if nearest else f"available: {available}"
    return UnknownName(f"no {kind} is named '{shortened(name)}'", hint=hint)
