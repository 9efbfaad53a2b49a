"""Where a slide shows tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from spacrd_core.slide.pyramid import Pyramid

Array = np.ndarray[Any, Any]


def on_tissue(pyramid: Pyramid, centres_um: Array, *, spot_um: float) -> Array:  # noqa: ARG001 - being written
    """Return which spots show tissue."""
    return np.ones(len(centres_um), dtype=bool)
