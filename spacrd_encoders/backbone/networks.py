"""Networks of timm from their description, and published tensors fitted to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import timm
import torch
from timm.layers.mlp import SwiGLUPacked
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import nn

from spacrd_encoders.backbone.state_dict_names import is_transformers, timm_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from spacrd_core.cards import Network

LAYERS: dict[object, Any] = {"SwiGLUPacked": SwiGLUPacked, "SiLU": nn.SiLU}


def outline(described: Network) -> Any:
    """Return a network without its numbers: nothing is allocated, so that any size is looked at in no time."""
    arguments: dict[str, Any] = {key: LAYERS.get(value, value) for key, value in described.arguments.items()}
    with torch.device("meta"):
        return timm.create_model(described.architecture, num_classes=0, **arguments)


def fitted(tensors: Mapping[str, Tensor], network: Any, described: Network) -> dict[str, Tensor]:
    """Return published tensors as the network names and shapes them; what fits nowhere is kept, to be told."""
    named = without_classifier(timm_names(tensors), network)
    if "pos_embed" in named and (described.positions_px or is_transformers(tensors)):
        # As those do who published them: transformers smooths when it shrinks only where there are registers.
        smooth = "reg_token" in named or not is_transformers(tensors)
        named["pos_embed"] = _resampled(named["pos_embed"], network, antialias=smooth)
    return named


def without_classifier(tensors: Mapping[str, Tensor], network: Any) -> dict[str, Tensor]:
    """Leave out the classifier that published files carry and an encoder has not."""
    names = network.pretrained_cfg["classifier"] or ()
    prefixes = tuple(f"{name}." for name in ([names] if isinstance(names, str) else names))
    kept = network.state_dict().keys()
    return {name: tensor for name, tensor in tensors.items() if name in kept or not name.startswith(prefixes)}


def pooled(output: Tensor, pooling: str, prefix: int) -> Tensor:
    """Return one embedding a tile, from a network's own pooling or from its tokens.

    ``prefix`` tokens are the class token and registers; the others are patches.
    """
    if output.ndim == 2:
        return output
    own = output[:, 0]
    return torch.cat([own, output[:, prefix:].mean(dim=1)], dim=1) if pooling == "cls+mean" else own


def _resampled(positions: Tensor, network: Any, *, antialias: bool) -> Tensor:
    """Return position embeddings for the network's own grid of patches."""
    apart = 0 if network.no_embed_class else network.num_prefix_tokens
    side = round((positions.shape[1] - apart) ** 0.5)
    if side**2 + apart != positions.shape[1]:
        return positions  # no square grid: the misfit is told when it is loaded
    grid = list(network.patch_embed.grid_size)
    given = {"num_prefix_tokens": apart, "antialias": antialias}
    resampled: Tensor = resample_abs_pos_embed(positions, grid, [side, side], **given)
    return resampled
