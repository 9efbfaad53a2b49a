"""Synthetic tissue at a known um/px, and tiles cut from an image as in production."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Level, Pyramid
from spacrd_core.slide.resample import resample
from spacrd_encoders.plugin import STAIN
from spacrd_encoders.stain import STAINS

CutTiles = Callable[[Array, float, Array], Tensor]


@pytest.fixture(scope="session")
def tissue() -> Array:
    """1.56 mm of tissue at 0.5 um/px: dense nuclei, bundles of collagen, open space."""
    return _paint(np.random.default_rng(0), px=3120, um_per_px=0.5)


@pytest.fixture(scope="session")
def cut_tiles() -> CutTiles:
    """Cut the stain encoder's tiles around centres in um (x before y) from an image."""

    def cut(image: Array, um_per_px: float, centres_um: Array) -> Tensor:
        pyramid = Pyramid((Level(np.moveaxis(image, -1, 0), um_per_px),))
        plan = PatchPlan.from_centres(pyramid, centres_um, patch_um=STAIN.patch_um, patch_px=STAIN.input_px)
        tiles = torch.empty((len(centres_um), 3, STAIN.input_px, STAIN.input_px), dtype=torch.uint8)
        for windows in plan.cut(np.arange(len(centres_um))):
            pixels = torch.from_numpy(windows.pixels).movedim(-1, 1)
            offsets = torch.from_numpy(windows.offsets)
            tiles[windows.rows] = resample(pixels, offsets, side=plan.side, out_px=STAIN.input_px)
        return tiles

    return cut


@pytest.fixture(scope="session")
def centres_um() -> Array:
    """A lattice of 36 spots, 200 um apart, that begins between pixels."""
    steps = 281.7 + 200 * np.arange(6)
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


def _paint(numbers: np.random.Generator, *, px: int, um_per_px: float) -> Array:
    crowding, collagen, open_space = (_field(numbers, px, um / um_per_px) for um in (150, 200, 120))
    haematoxylin = 0.03 + (open_space < 0.75) * (0.1 + _nuclei(numbers, crowding))
    along = np.arange(px, dtype=np.float32) * um_per_px
    bundles = np.sin(2 * np.pi * (along[:, None] + 60 * crowding) / 60)  # wavy bundles, 60 um apart
    eosin = 0.02 + (open_space < 0.75) * (0.1 + 0.3 * collagen * (1 + bundles))
    amounts = gaussian_filter(np.stack([haematoxylin, eosin]), (0, 1, 1))
    density = np.einsum("shw,sc->hwc", amounts, np.array(STAINS[:2], dtype=np.float32))
    return np.asarray(255 * 10**-density).astype(np.uint8)


def _nuclei(numbers: np.random.Generator, crowding: Array) -> Array:
    """Discs 7 um wide of random darkness, denser where crowding is high."""
    nuclei = np.zeros_like(crowding)
    rows, columns = np.mgrid[-7:8, -7:8]
    disc = (rows**2 + columns**2 <= 7**2).astype(np.float32)
    centres = numbers.integers(7, len(crowding) - 8, (25_000, 2))
    mask = numbers.random(len(centres)) < 0.03 + 0.9 * crowding[*centres.T] ** 2
    for y, x in centres[mask]:
        window = nuclei[y - 7 : y + 8, x - 7 : x + 8]
        np.maximum(window, disc * numbers.uniform(0.7, 1.1), out=window)
    return nuclei


def _field(numbers: np.random.Generator, px: int, smooth_px: float) -> Array:
    """A smooth random field between 0 and 1."""
    coarse = gaussian_filter(numbers.normal(size=(200, 200)), smooth_px * 200 / px).astype(np.float32)
    coarse = (coarse - coarse.min()) / (coarse.max() - coarse.min())
    return np.asarray(Image.fromarray(coarse).resize((px, px), Image.Resampling.BILINEAR))
