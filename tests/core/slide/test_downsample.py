from fractions import Fraction

import numpy as np
import pytest

from spacrd_core.arrays import Array
from spacrd_core.slide.downsample import AreaDownsampler


def exact_means(pixels: Array, ratio: Fraction) -> Array:
    """Divide every px into equal parts and average the parts in each window of ``ratio`` px."""
    parts = np.repeat(np.repeat(pixels.astype(float), ratio.denominator, 0), ratio.denominator, 1)
    rows, columns = (range(0, length, ratio.numerator) for length in parts.shape[:2])
    side = ratio.numerator
    return np.array([[parts[y : y + side, x : x + side].mean(axis=(0, 1)) for x in columns] for y in rows])


@pytest.mark.parametrize("ratio", [Fraction(2), Fraction(5, 2), Fraction(40, 17), Fraction(11, 10), Fraction(7)])
def test_every_px_is_the_mean_of_the_area_it_covers(noise: Array, ratio: Fraction) -> None:
    downsampler = AreaDownsampler(noise.shape[0], noise.shape[1], float(ratio))
    expected = exact_means(noise, ratio)
    height, width = downsampler.shape
    assert (height, width) == (round(37 / ratio), round(53 / ratio))
    downsampled = downsampler.rows(0, height, lambda top, bottom: noise[top:bottom])
    assert np.abs(downsampled - expected[:height, :width]).max() <= 0.5 + 1e-3


def test_bands_join_without_a_seam(noise: Array) -> None:
    downsampler = AreaDownsampler(noise.shape[0], noise.shape[1], 0.5 / 0.2125)
    whole = downsampler.rows(0, downsampler.shape[0], lambda top, bottom: noise[top:bottom])
    bands = [
        downsampler.rows(row, row + 1, lambda top, bottom: noise[top:bottom]) for row in range(downsampler.shape[0])
    ]
    np.testing.assert_array_equal(np.concatenate(bands), whole)


def test_a_ratio_that_is_whole_except_for_rounding_adds_no_row_or_column() -> None:
    assert AreaDownsampler(9, 9, 0.6 / 0.2).shape == (3, 3)


def test_an_image_smaller_than_one_px_becomes_one() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    downsampled = AreaDownsampler(2, 2, 50.0).rows(0, 1, lambda top, bottom: pixels[top:bottom])
    assert downsampled.tolist() == [[[5, 6, 7]]]
