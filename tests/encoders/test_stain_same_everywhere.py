"""The stain encoder gives the same features for the same tissue, whatever the scanner and the staining."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.plugins import Plugins
from spacrd_encoders.stain import Stain

CutTiles = Callable[[Array, float, Array], Tensor]


@pytest.fixture(scope="module")
def stain(plugins: Plugins) -> Stain:
    encoder: Stain = plugins.encoders.create("stain")
    return encoder


def scanned_coarser(image: Array, times: int) -> Array:
    """The image as a scanner with wider pixels records it: the mean of the light in each."""
    height, width = (side // times for side in image.shape[:2])
    blocks = image[: height * times, : width * times].reshape(height, times, width, times, 3)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32).round().astype(np.uint8))


def deviations(values: Array, other: Array) -> tuple[Array, Array]:
    """The distance of each spot to itself in the other image, and to another spot, in standard deviations."""
    scale = values.std(axis=0)
    another = np.roll(values, len(values) // 2, axis=0)
    distances = [np.linalg.norm((values - target) / scale, axis=1) for target in (other, another)]
    return distances[0], distances[1]


def correlations(values: Array, other: Array) -> Array:
    return np.array([np.corrcoef(values[:, k], other[:, k])[0, 1] for k in range(values.shape[1])])


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(("times", "closer"), [(4, 100), (16, 30), (26, 10)])
def test_painted_tissue_is_the_same_at_half_a_um_and_up_to_13_um_a_px(
    stain: Stain, tissue: Array, cut_tiles: CutTiles, centres_um: Array, times: int, closer: float
) -> None:
    fine = stain.embed(cut_tiles(tissue, 0.5, centres_um)).numpy()
    coarse = stain.embed(cut_tiles(scanned_coarser(tissue, times), 0.5 * times, centres_um)).numpy()
    itself, another = deviations(fine, coarse)
    assert np.median(another) > closer * np.median(itself)
    assert itself.max() < another.min()
    assert correlations(fine, coarse).min() > 0.98


@pytest.mark.her2st
def test_a_real_section_is_the_same_at_3_and_13_um_a_px(stain: Stain, her2st: Path, cut_tiles: CutTiles) -> None:
    image = np.asarray(Image.open(her2st / "ST-imgs/A/A1/A1_HE_image_dark.png").convert("RGB"))[600:1800, 100:1700]
    steps_x, steps_y = 300 + 200 * np.arange(22), 300 + 200 * np.arange(16)
    centres = np.stack(np.meshgrid(steps_x, steps_y), axis=-1).reshape(-1, 2) + 0.7
    fine = stain.embed(cut_tiles(image, 3.2, centres)).numpy()
    coarse = stain.embed(cut_tiles(scanned_coarser(image, 4), 12.8, centres)).numpy()
    itself, another = deviations(fine, coarse)
    assert np.median(another) > 10 * np.median(itself)
    assert correlations(fine, coarse).min() > 0.95


def test_staining_strength_and_background_tint_shift_all_spots_equally(
    stain: Stain, tissue: Array, cut_tiles: CutTiles, centres_um: Array
) -> None:
    density = -np.log10(np.maximum(tissue[::4, ::4], 1) / 255)
    other_lab = (np.array([228, 215, 232]) * 10 ** (-0.75 * density)).round().astype(np.uint8)
    values = stain.embed(cut_tiles(scanned_coarser(tissue, 4), 2.0, centres_um)).numpy()
    augment_stain = stain.embed(cut_tiles(other_lab, 2.0, centres_um)).numpy()
    assert np.median(correlations(values, augment_stain)) > 0.97
    assert correlations(values, augment_stain).min() > 0.85
