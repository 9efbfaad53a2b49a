"""A plugin whose reader hook returns the card of a head, a text, and a valid card."""

from __future__ import annotations

from spacrd_core.cards import HeadCard, ReaderCard
from spacrd_core.hookspecs import hookimpl


@hookimpl
def spacrd_readers() -> tuple[object, ...]:
    return (HeadCard("wrong", "broken_card:Wrong", "A head"), "text", ReaderCard("right", "broken_card:Right", "Right"))


class Right:
    """A reader without options."""
