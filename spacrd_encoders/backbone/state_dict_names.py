"""Convert the tensor names of transformers and DINOv2 to those of timm.

Renaming is sufficient because the networks compute the same. No code of a repository is run, and transformers is not
needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

# Replaced in this order: longer names before their substrings.
FROM_TRANSFORMERS = {
    "embeddings.cls_token": "cls_token",
    "embeddings.register_tokens": "register_tokens",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection.": "patch_embed.proj.",
    "encoder.layer.": "blocks.",
    ".attention.attention.": ".attn.",
    ".attention.output.dense.": ".attn.proj.",
    ".intermediate.dense.": ".mlp.fc1.",
    ".output.dense.": ".mlp.fc2.",
    ".mlp.weights_in.": ".mlp.fc1.",
    ".mlp.weights_out.": ".mlp.fc2.",
    ".layernorm_before.": ".norm1.",
    ".layernorm_after.": ".norm2.",
    ".layer_scale1.lambda1": ".ls1.gamma",
    ".layer_scale2.lambda1": ".ls2.gamma",
    "layernorm.": "norm.",
}
FROM_DINOV2 = {".mlp.w12.": ".mlp.fc1.", ".mlp.w3.": ".mlp.fc2."}
FOR_TRAINING = ("mask_token", "embeddings.mask_token", "pooler.dense.weight", "pooler.dense.bias")
PARTS = ("query", "key", "value")


def is_transformers(tensors: Mapping[str, Tensor]) -> bool:
    """Return whether the tensors have transformers' names."""
    return "embeddings.cls_token" in tensors


def to_timm_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors with timm's names; names that are already timm's are unchanged."""
    renames = {**(FROM_TRANSFORMERS if is_transformers(tensors) else {}), **FROM_DINOV2}
    renamed = {_rename(name, renames): tensor for name, tensor in tensors.items() if name not in FOR_TRAINING}
    return _split_registers(dict(_merge_qkv(renamed)))


def _rename(name: str, renames: Mapping[str, str]) -> str:
    for old, new in renames.items():
        name = name.replace(old, new)
    return name


def _merge_qkv(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors, with query, key and value concatenated."""
    for name, tensor in tensors.items():
        parts = [tensors.get(name.replace(".attn.query.", f".attn.{part}.")) for part in PARTS]
        if ".attn.query." in name and all(part is not None for part in parts):
            yield name.replace(".attn.query.", ".attn.qkv."), torch.cat([part for part in parts if part is not None])
        elif ".attn.key." not in name and ".attn.value." not in name:
            yield name, tensor


def _split_registers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add the class token's position to the token: for networks with registers, timm has patch positions only."""
    if not {"register_tokens", "cls_token", "pos_embed"} <= tensors.keys():
        return tensors
    positions = tensors["pos_embed"]
    tensors["reg_token"] = tensors.pop("register_tokens")
    tensors["cls_token"] = tensors["cls_token"] + positions[:, :1]
    tensors["pos_embed"] = positions[:, 1:]
    return tensors
