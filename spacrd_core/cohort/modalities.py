"""The modalities a spot is read from: image and genes together, or one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MODALITIES: Final[Mapping[str, frozenset[str]]] = {
    "image+genes": frozenset({"image", "genes"}),
    "genes": frozenset({"genes"}),
    "image": frozenset({"image"}),
}


def join_modalities(*, genes: object, image: object) -> str:
    """Return the name of the modalities that are present; '' if there are none."""
    present = {name for name, value in (("genes", genes), ("image", image)) if value is not None and value is not False}
    return next((name for name, members in MODALITIES.items() if members == present), "")


def subsets(modalities: str) -> tuple[str, ...]:
    """Return the modalities and every subset of them, the widest first.

    >>> subsets("image+genes")
    ('image+genes', 'genes', 'image')
    """
    return tuple(name for name, members in MODALITIES.items() if members <= MODALITIES[modalities])
