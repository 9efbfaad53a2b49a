"""Build timm networks from their specification, and adapt published tensors to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import timm
import torch
from timm.layers.mlp import SwiGLUPacked
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import nn

from spacrd_encoders.backbone.state_dict_names import is_transformers, to_timm_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from spacrd_core.cards import Network

LAYERS: dict[object, Any] = {"SwiGLUPacked": SwiGLUPacked, "SiLU": nn.SiLU}


def build_on_meta(spec: Network) -> Any:
    """Return a network on the meta device: it has shapes but no weights, and takes no memory."""
    arguments: dict[str, Any] = {key: LAYERS.get(value, value) for key, value in spec.arguments.items()}
    with torch.device("meta"):
        return timm.create_model(spec.architecture, num_classes=0, **arguments)


def adapt_state_dict(tensors: Mapping[str, Tensor], network: Any, spec: Network) -> dict[str, Tensor]:
    """Return published tensors with the network's names and shapes; tensors that do not fit are kept for the error."""
    state_dict = drop_classifier(to_timm_names(tensors), network)
    if "pos_embed" in state_dict and (spec.positions_px or is_transformers(tensors)):
        # As in the published code: transformers antialiases only for networks with registers.
        antialias = "reg_token" in state_dict or not is_transformers(tensors)
        state_dict["pos_embed"] = _resample_positions(state_dict["pos_embed"], network, antialias=antialias)
    return state_dict


def drop_classifier(tensors: Mapping[str, Tensor], network: Any) -> dict[str, Tensor]:
    """Return the tensors without those of a classifier, which an encoder does not have."""
    names = network.pretrained_cfg["classifier"] or ()
    prefixes = tuple(f"{name}." for name in ([names] if isinstance(names, str) else names))
    expected = network.state_dict().keys()
    return {name: tensor for name, tensor in tensors.items() if name in expected or not name.startswith(prefixes)}


def pool_tokens(output: Tensor, pooling: str, prefix: int) -> Tensor:
    """Return one embedding per tile, from a network's own pooling or from its tokens.

    The first ``prefix`` tokens are the class token and registers; the others are patches.
    """
    if output.ndim == 2:
        return output
    class_token = output[:, 0]
    return torch.cat([class_token, output[:, prefix:].mean(dim=1)], dim=1) if pooling == "cls+mean" else class_token


def _resample_positions(positions: Tensor, network: Any, *, antialias: bool) -> Tensor:
    """Return position embeddings resampled to the network's grid of patches."""
    prefix = 0 if network.no_embed_class else network.num_prefix_tokens
    side = round((positions.shape[1] - prefix) ** 0.5)
    if side**2 + prefix != positions.shape[1]:
        return positions  # not a square grid: loading reports the wrong shape
    grid = list(network.patch_embed.grid_size)
    resampled: Tensor = resample_abs_pos_embed(
        positions, grid, [side, side], num_prefix_tokens=prefix, antialias=antialias
    )
    return resampled
