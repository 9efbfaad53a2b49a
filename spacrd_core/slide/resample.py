"""Resample patches on the device: an antialiased triangle filter as two products with each patch's own weights.

The filter is that of Pillow's and torchvision's antialiased bilinear resize; a patch may begin between pixels. As in
Pillow, weights are whole numbers and the result is rounded after each product. So every sum is exact in float32, and a
patch comes out the same whatever the batch, the device and its order of summing.
"""

import torch
from jaxtyping import Float, Float32, Float64, UInt8
from torch import Tensor

ONE = 2**15  # what the weights of a px add up to: 255 of it stay below the 2**24 up to which float32 counts exactly
FINE = 2**20


def resample(
    windows: UInt8[Tensor, "patches 3 height width"],
    offsets: Float64[Tensor, "patches 2"],
    *,
    side: float,
    out_px: int,
) -> UInt8[Tensor, "patches 3 out_px out_px"]:
    """Return the patches that begin at ``offsets`` (down, right) in their windows and are ``side`` px wide."""
    patches, _, height, width = windows.shape
    across = _weights(offsets[:, 1], width, side, out_px)
    narrow = _rounded(windows.float().reshape(patches, 3 * height, width) @ across.mT)
    down = _weights(offsets[:, 0], height, side, out_px)
    return _rounded(down[:, None] @ narrow.reshape(patches, 3, height, out_px)).to(torch.uint8)


def _rounded(sums: Float32[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
    return torch.floor(sums / ONE + 0.5).clamp(max=255)


def _weights(
    offsets: Float[Tensor, " patches"], window_px: int, side: float, out_px: int
) -> Float32[Tensor, "patches out_px window_px"]:
    """How much every px of a window counts in every px of its patch, in parts of ``ONE``."""
    step = side / out_px
    reach = max(1.0, step)
    centres = offsets[:, None] + (torch.arange(out_px, device=offsets.device) + 0.5) * step
    first = torch.floor(centres - reach)[..., None]
    places = first + torch.arange(int(2 * reach) + 2, device=offsets.device)
    raw = (1 - (places + 0.5 - centres[..., None]).abs() / reach).clamp(min=0)
    raw = torch.where((places >= 0) & (places < window_px), (raw * FINE).round(), 0.0)
    shares = (raw * ONE / raw.sum(dim=-1, keepdim=True)).round().float()
    weights = torch.zeros(*centres.shape, window_px, device=offsets.device)
    return weights.scatter_add_(-1, places.clamp(0, window_px - 1).long(), shares)
