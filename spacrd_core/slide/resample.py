"""Resample patches on the device: an antialiased filter as two matrix products with each patch's own weights.

The filters are those of Pillow's and torchvision's antialiased resize; a patch may begin between pixels. As in Pillow,
weights are whole numbers, rows are resampled before columns, and the result is rounded after each product. Every sum is
therefore exact in float32, and a patch does not depend on the batch, the device or the order of summation.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Float32, Float64, UInt8
from torch import Tensor

from spacrd_core.errors import EncoderError

ONE = 2**15  # sum of the weights of a px; 510 times it is below 2**24, the limit of exact integers in float32
FINE = 2**20


def triangle(distance: Float64[Tensor, "*shape"]) -> Float64[Tensor, "*shape"]:
    """Return the weight of a px at a distance: linear interpolation."""
    return (1 - distance).clamp(min=0)


def bicubic(distance: Float64[Tensor, "*shape"]) -> Float64[Tensor, "*shape"]:
    """Return the weight of a px at a distance: cubic interpolation with Keys' a = -0.5, as in Pillow."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))


Filter = Callable[[Tensor], Tensor]
FILTERS: dict[str, tuple[Filter, int]] = {"triangle": (triangle, 1), "bicubic": (bicubic, 2)}  # with radius in px


def resample(
    windows: UInt8[Tensor, "patches 3 height width"],
    offsets: Float64[Tensor, "patches 2"],
    *,
    side: float,
    out_px: int,
    resize: str = "triangle",
) -> UInt8[Tensor, "patches 3 out_px out_px"]:
    """Return the patches that begin at ``offsets`` (down, right) in their windows and are ``side`` px wide.

    The weights are computed where the offsets are, the patches where the windows are.
    The channels of a px are adjacent in memory: ResNets are a fifth faster with this layout, ViTs equally fast.

    Raises
    ------
    EncoderError
        If ``resize`` is not the name of a filter.
    """
    patches, _, height, width = windows.shape
    across = _weights(offsets[:, 1], width, side / out_px, out_px, resize)
    down = _weights(offsets[:, 0], height, side / out_px, out_px, resize)
    across, down = across.to(windows.device), down.to(windows.device)
    rows = windows.movedim(1, 2).reshape(patches, height * 3, width)
    narrow = _rounded(rows.float(), across.mT).reshape(patches, height, 3 * out_px)
    small = _rounded(down, narrow).reshape(patches, out_px, 3, out_px)
    return small.movedim(2, 1).to(torch.uint8, memory_format=torch.channels_last)


def _rounded(left: Float32[Tensor, "n i j"], right: Float32[Tensor, "n j k"]) -> Float32[Tensor, "n i k"]:
    half = torch.full((1, 1, 1), 0.5, device=left.device)
    return torch.baddbmm(half, left, right).floor_().clamp_(0, 255)


def _weights(
    offsets: Float[Tensor, " patches"], window_px: int, step: float, out_px: int, resize: str
) -> Float32[Tensor, "patches out_px window_px"]:
    """Return the weight of every px of a window in every px of its patch, in whole parts of ``ONE``."""
    weigh, radius = _filter(resize)
    scale = max(1.0, step)
    centres = offsets[:, None] + (torch.arange(out_px, device=offsets.device, dtype=offsets.dtype) + 0.5) * step
    first = torch.floor(centres - radius * scale)[..., None]
    indices = first + torch.arange(int(2 * radius * scale) + 2, device=offsets.device)
    raw = weigh((indices + 0.5 - centres[..., None]).abs() / scale)
    raw = torch.where((indices >= 0) & (indices < window_px), (raw * FINE).round(), 0.0)
    normalised = (raw * ONE / raw.sum(dim=-1, keepdim=True)).round().float() / ONE
    weights = torch.zeros(*centres.shape, window_px, device=offsets.device)
    return weights.scatter_add_(-1, indices.clamp(0, window_px - 1).long(), normalised)


def _filter(resize: str) -> tuple[Filter, int]:
    if resize not in FILTERS:
        raise EncoderError(f"unknown resize filter '{resize}'", hint=f"use {' or '.join(FILTERS)} in the recipe")
    return FILTERS[resize]
