"""The planted scanners change a picture, in the same way every time, and leave the original as it was."""

import numpy as np
import pytest
from experiments.scanners import DRAWN, MILD, OLD, STRONG, Scanner

from spacrd_core.arrays import UInt8Array

SCANNERS = {**MILD, **STRONG, **DRAWN}


@pytest.fixture
def picture() -> UInt8Array:
    pink = np.full((48, 60, 3), (220, 150, 190), dtype=np.uint8)
    pink[12:36, 12:36] = (110, 60, 140)
    return pink


@pytest.mark.parametrize("scanner", SCANNERS.values(), ids=SCANNERS)
def test_a_scanner_is_a_pure_function_of_the_picture(picture: UInt8Array, scanner: Scanner) -> None:
    before = picture.copy()
    changed = scanner(picture)
    assert changed.dtype == np.uint8
    assert changed.shape[2] == 3
    assert np.array_equal(changed, scanner(picture))
    assert np.array_equal(picture, before)
    assert changed.shape != picture.shape or not np.array_equal(changed, picture)


def test_a_coarse_picture_has_a_third_of_the_pixels_each_way(picture: UInt8Array) -> None:
    assert MILD["15 um/px"](picture).shape == STRONG[OLD](picture).shape == (16, 20, 3)


def test_grey_has_no_colour_and_more_haematoxylin_absorbs_more_red(picture: UInt8Array) -> None:
    assert (np.ptp(STRONG["grey"](picture), axis=-1) == 0).all()
    weak, strong = (STRONG[f"{amount} haematoxylin"](picture)[24, 24, 0] for amount in ("weak", "strong"))
    assert strong < picture[24, 24, 0] < weak
