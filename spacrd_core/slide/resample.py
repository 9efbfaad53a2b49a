"""Resample patches on the device: an antialiased triangle filter as two products with each patch's own weights.

The filter is that of Pillow's and torchvision's antialiased bilinear resize; a patch may begin between pixels.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def resample(
    windows: UInt8[Tensor, "patches 3 height width"],
    offsets: Float[Tensor, "patches 2"],
    *,
    side: float,
    out_px: int,
) -> UInt8[Tensor, "patches 3 out_px out_px"]:
    """Return the patches that begin at ``offsets`` (down, right) in their windows and are ``side`` px wide."""
    down = _weights(offsets[:, 0], windows.shape[2], side, out_px)
    across = _weights(offsets[:, 1], windows.shape[3], side, out_px)
    smooth = down[:, None] @ windows.float() @ across[:, None].mT
    return smooth.round().clamp(0, 255).to(torch.uint8)


def _weights(
    offsets: Float[Tensor, " patches"], window_px: int, side: float, out_px: int
) -> Float[Tensor, "patches out_px window_px"]:
    """How much every px of a window counts in every px of its patch."""
    step = side / out_px
    reach = max(1.0, step)
    centres = offsets[:, None] + (torch.arange(out_px, device=offsets.device) + 0.5) * step
    pixels = torch.arange(window_px, device=offsets.device) + 0.5
    weights = (1 - (pixels - centres[..., None]).abs() / reach).clamp(min=0)
    return (weights / weights.sum(dim=-1, keepdim=True)).float()
