"""Simulated tissue: composition, outline and stain."""

import numpy as np
import pytest

from spacrd_core.demo.stain import render
from spacrd_core.demo.tissue import FAT, FRAME_UM, TUMOUR, Tissue, draw_tissue


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    return draw_tissue(np.random.default_rng(3))


def points(tissue: Tissue) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(0, FRAME_UM[0], 100.0), np.arange(0, FRAME_UM[1], 100.0))


def test_shares_add_up_to_one_everywhere(tissue: Tissue) -> None:
    shares = tissue.shares(*points(tissue))
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0)
    assert shares.min() >= 0.0


@pytest.mark.parametrize("seed", range(8))
def test_tissue_lies_within_the_array_and_has_the_area_of_250_to_350_spots(seed: int) -> None:
    tissue = draw_tissue(np.random.default_rng(seed))
    x_um, y_um = points(tissue)
    inside = tissue.depth_um(x_um, y_um) > 0
    (top, bottom), (left, right) = tissue.extent_um
    assert 250 <= inside.sum() / 4 <= 350  # points are 100 um apart, spots 200
    assert y_um[inside].min() >= top >= 0
    assert y_um[inside].max() <= bottom <= FRAME_UM[1]
    assert x_um[inside].min() >= left >= 0
    assert x_um[inside].max() <= right <= FRAME_UM[0]


def test_depth_falls_to_zero_at_the_outline(tissue: Tissue) -> None:
    x, y = (np.array([part]) for part in tissue.centre_um)
    assert tissue.depth_um(x, y)[0] > 1000
    assert tissue.depth_um(x + 4000, y)[0] < 0


@pytest.mark.slow
def test_the_stain_is_dark_in_tumour_pale_in_fat_and_background_outside(tissue: Tissue) -> None:
    picture = render(tissue, np.random.default_rng(5), um_per_px=4.0).astype(float)
    assert picture.shape == (1700, 1600, 3)
    x_um, y_um = np.meshgrid((np.arange(1600) + 0.5) * 4, (np.arange(1700) + 0.5) * 4)
    shares = tissue.shares(x_um[::4, ::4], y_um[::4, ::4])
    depth = tissue.depth_um(x_um[::4, ::4], y_um[::4, ::4])
    red = picture[::4, ::4, 0]
    tumour, fat = (red[(depth > 100) & (shares[..., kind] > 0.9)].mean() for kind in (TUMOUR, FAT))
    background = red[depth < -200].mean()
    assert tumour < fat - 30
    assert fat < background
    assert background > 215


def test_the_stain_is_purple_in_nuclei_and_pink_elsewhere(tissue: Tissue) -> None:
    picture = render(tissue, np.random.default_rng(5), um_per_px=4.0).astype(float)
    red, green, blue = np.moveaxis(picture, -1, 0)
    dark = picture.mean(axis=-1) < 110
    pink = (picture.mean(axis=-1) > 150) & (green < 180)
    assert (blue - red)[dark].mean() > 0
    assert (red - blue)[pink].mean() > 0
