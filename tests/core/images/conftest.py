"""Pixels to write and read."""

import numpy as np
import pytest

from spacrd_core.arrays import Array


@pytest.fixture
def noise() -> Array:
    """37 x 53 px of noise: odd sides, and no two parts alike."""
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
