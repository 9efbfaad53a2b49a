"""What a spot is read by: its image and genes, or one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VIEWS: Final[Mapping[str, frozenset[str]]] = {
    "image+genes": frozenset({"image", "genes"}),
    "genes": frozenset({"genes"}),
    "image": frozenset({"image"}),
}


def view_of(*, genes: object, image: object) -> str:
    """Return the name of the view that has these modalities; '' where there is neither."""
    held = {name for name, value in (("genes", genes), ("image", image)) if value is not None and value is not False}
    return next((view for view, modalities in VIEWS.items() if modalities == held), "")


def views_within(view: str) -> tuple[str, ...]:
    """Return the view itself and the narrower ones it contains.

    >>> views_within("image+genes")
    ('image+genes', 'genes', 'image')
    """
    return tuple(name for name, modalities in VIEWS.items() if modalities <= VIEWS[view])
