from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms

from spacrd_core.errors import EncoderError
from spacrd_core.slide.patches import FILTER_RADIUS
from spacrd_core.slide.resample import FILTERS, ONE, _weights, resample

PILLOW = {"triangle": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
FILTER = pytest.mark.parametrize("resize", list(FILTERS))
CASES = pytest.mark.parametrize(
    ("side", "out_px"),
    [(64.0, 64), (47.3, 64), (12.9, 64), (101.7, 64), (128.0, 32), (300.4, 32)],
    ids=["same", "up", "far up", "down", "half", "far down"],
)


def windows(side: float, out_px: int, count: int = 9) -> tuple[Tensor, Tensor]:
    """Noise, and offsets between pixels that leave room for the filter."""
    numbers = np.random.default_rng(4)
    margin = FILTER_RADIUS * max(1.0, side / out_px)
    width = int(np.ceil(side + 2 * margin)) + 1
    pixels = numbers.integers(0, 256, (count, 3, width, width), dtype=np.uint8)
    return torch.from_numpy(pixels), torch.from_numpy(margin + numbers.random((count, 2)))


@FILTER
@CASES
def test_it_agrees_with_pillow_to_one_grey_level(side: float, out_px: int, resize: str) -> None:
    pixels, offsets = windows(side, out_px)
    patches = resample(pixels, offsets, side=side, out_px=out_px, resize=resize)
    for window, (top, left), patch in zip(pixels, offsets.tolist(), patches, strict=True):
        box = (left, top, left + side, top + side)
        image = Image.fromarray(window.movedim(0, -1).numpy())
        expected = np.asarray(image.resize((out_px, out_px), PILLOW[resize], box=box))
        difference = np.abs(patch.movedim(0, -1).numpy().astype(int) - expected)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.02


@FILTER
@CASES
def test_a_patch_is_bit_for_bit_the_same_in_every_batch(side: float, out_px: int, resize: str) -> None:
    pixels, offsets = windows(side, out_px)

    def cut(chosen: slice) -> Tensor:
        return resample(pixels[chosen], offsets[chosen], side=side, out_px=out_px, resize=resize)

    together = cut(slice(None))
    turned = resample(pixels.flip(0), offsets.flip(0), side=side, out_px=out_px, resize=resize).flip(0)
    assert torch.equal(together, turned)
    assert torch.equal(together, torch.cat([cut(slice(i, i + 1)) for i in range(len(pixels))]))


@FILTER
@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_a_uniform_colour_is_unchanged(level: int, resize: str) -> None:
    pixels = torch.full((2, 3, 144, 144), level, dtype=torch.uint8)
    offsets = torch.tensor([[7.3, 8.7], [9.0, 7.9]], dtype=torch.float64)
    for side, out_px in ((120.0, 32), (100.1, 77), (30.7, 64)):
        assert (resample(pixels, offsets, side=side, out_px=out_px, resize=resize) == level).all()


@FILTER
@CASES
def test_results_equal_sums_of_whole_numbers(side: float, out_px: int, resize: str) -> None:
    pixels, offsets = windows(side, out_px)
    pixels = torch.where(pixels > 100, 255, 0).to(torch.uint8)  # far from zero in every sum, and overshooting

    def summed(weights: Tensor, values: Tensor) -> Tensor:
        products = torch.einsum("npx,nchx->nchp", (weights.double() * ONE).long(), values)
        return torch.div(products + ONE // 2, ONE, rounding_mode="floor").clamp(0, 255)

    across, down = (_weights(offsets[:, axis], pixels.shape[-1], side / out_px, out_px, resize) for axis in (1, 0))
    expected = summed(down, summed(across, pixels.long()).mT).mT
    assert torch.equal(resample(pixels, offsets, side=side, out_px=out_px, resize=resize).long(), expected)


def test_no_filter_is_wider_than_the_margin_of_windows() -> None:
    assert max(radius for _, radius in FILTERS.values()) <= FILTER_RADIUS


def test_an_unknown_filter_is_refused_with_the_available_ones() -> None:
    pixels, offsets = windows(64.0, 64)
    with pytest.raises(EncoderError, match="unknown resize filter 'lanczos'") as caught:
        resample(pixels, offsets, side=64.0, out_px=64, resize="lanczos")
    assert "triangle or bicubic" in caught.value.hint


UNI_MEAN, UNI_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def network() -> Any:
    torch.manual_seed(0)
    return timm.create_model("vit_tiny_patch16_224", num_classes=0).eval()


@pytest.mark.ci_cases(3)
@pytest.mark.parametrize("side", [163, 224, 250, 448], ids=str)
@pytest.mark.parametrize(
    ("resize", "interpolation"),
    [("triangle", transforms.InterpolationMode.BILINEAR), ("bicubic", transforms.InterpolationMode.BICUBIC)],
    ids=["UNI", "Virchow"],
)
def test_tiles_equal_those_of_the_published_transform(
    network: Any, side: int, resize: str, interpolation: transforms.InterpolationMode
) -> None:
    """Published recipes crop whole px and go through Pillow: Resize, ToTensor, Normalize."""
    textures = [texture(side + 20, seed) for seed in range(3)]
    recipe = transforms.Compose(
        [
            transforms.Resize(224, interpolation=interpolation, antialias=True),
            transforms.ToTensor(),
            transforms.Normalize(UNI_MEAN, UNI_STD),
        ]
    )
    published = torch.stack([recipe(Image.fromarray(t).crop((9, 7, 9 + side, 7 + side))) for t in textures])
    pixels = torch.stack([torch.from_numpy(t).movedim(-1, 0) for t in textures])
    offsets = torch.tensor([[7.0, 9.0]] * 3, dtype=torch.float64)
    tiles = resample(pixels, offsets, side=float(side), out_px=224, resize=resize)
    mean, std = (torch.tensor(three)[:, None, None] for three in (UNI_MEAN, UNI_STD))
    ours = (tiles.float() / 255 - mean) / std
    with torch.inference_mode():
        embeddings = network(published), network(ours)
    for one, other in ((published.flatten(1), ours.flatten(1)), embeddings):
        assert 1 - torch.nn.functional.cosine_similarity(one, other).min() < 1e-3


def texture(side: int, seed: int) -> np.ndarray:
    """Return a pink background with violet nuclei and noise."""
    numbers = np.random.default_rng(seed)
    ground = numbers.normal((225, 150, 200), 12, (side, side, 3))
    coarse = Image.fromarray((numbers.random((side // 8, side // 8)) > 0.8).astype(np.uint8) * 255)
    nuclei = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))[..., None] / 255
    return np.clip(ground - nuclei * (110, 90, 60), 0, 255).astype(np.uint8)


@pytest.mark.gpu
@FILTER
@CASES
def test_a_gpu_gives_the_same_bits_as_a_cpu(side: float, out_px: int, resize: str) -> None:
    pixels, offsets = windows(side, out_px)
    there = resample(pixels.cuda(), offsets.cuda(), side=side, out_px=out_px, resize=resize)
    assert torch.equal(there.cpu(), resample(pixels, offsets, side=side, out_px=out_px, resize=resize))
