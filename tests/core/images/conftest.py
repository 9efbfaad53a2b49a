"""Pixels to write and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from spacrd_core.arrays import Array


@pytest.fixture
def noise() -> Array:
    """37 x 53 px of noise: odd sides, and no two parts alike."""
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
