from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from spacrd_core.slide.resample import resample

CASES = pytest.mark.parametrize(
    ("side", "out_px"),
    [(64.0, 64), (47.3, 64), (12.9, 64), (101.7, 64), (128.0, 32), (300.4, 32)],
    ids=["same", "up", "far up", "down", "half", "far down"],
)


def windows(side: float, out_px: int, count: int = 9) -> tuple[Tensor, Tensor]:
    """Noise, and offsets between pixels that leave room for the filter."""
    numbers = np.random.default_rng(4)
    margin = max(1.0, side / out_px)
    width = int(np.ceil(side + 2 * margin)) + 1
    pixels = numbers.integers(0, 256, (count, 3, width, width), dtype=np.uint8)
    return torch.from_numpy(pixels), torch.from_numpy(margin + numbers.random((count, 2)))


@CASES
def test_it_agrees_with_pillow_to_a_grey_level(side: float, out_px: int) -> None:
    pixels, offsets = windows(side, out_px)
    patches = resample(pixels, offsets, side=side, out_px=out_px)
    for window, (top, left), patch in zip(pixels, offsets.tolist(), patches, strict=True):
        box = (left, top, left + side, top + side)
        picture = Image.fromarray(window.movedim(0, -1).numpy())
        expected = np.asarray(picture.resize((out_px, out_px), Image.Resampling.BILINEAR, box=box))
        apart = np.abs(patch.movedim(0, -1).numpy().astype(int) - expected)
        assert apart.max() <= 1
        assert (apart > 0).mean() < 0.02


@CASES
def test_a_patch_is_bit_for_bit_the_same_in_every_batch(side: float, out_px: int) -> None:
    pixels, offsets = windows(side, out_px)
    together = resample(pixels, offsets, side=side, out_px=out_px)
    turned = resample(pixels.flip(0), offsets.flip(0), side=side, out_px=out_px).flip(0)
    alone = [resample(pixels[i : i + 1], offsets[i : i + 1], side=side, out_px=out_px) for i in range(len(pixels))]
    assert torch.equal(together, turned)
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_an_even_colour_stays_as_it_is(level: int) -> None:
    pixels = torch.full((2, 3, 140, 140), level, dtype=torch.uint8)
    offsets = torch.tensor([[3.3, 4.7], [5.0, 3.9]], dtype=torch.float64)
    for side, out_px in ((128.0, 32), (100.1, 77), (30.7, 64)):
        assert (resample(pixels, offsets, side=side, out_px=out_px) == level).all()


@pytest.mark.gpu
@CASES
def test_a_gpu_gives_the_same_bits_as_a_cpu(side: float, out_px: int) -> None:
    pixels, offsets = windows(side, out_px)
    there = resample(pixels.cuda(), offsets.cuda(), side=side, out_px=out_px)
    assert torch.equal(there.cpu(), resample(pixels, offsets, side=side, out_px=out_px))
