"""Encoders published with names other than timm's: transformers' networks, with random weights, are the oracle."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    PreTrainedModel,
    ViTConfig,
    ViTModel,
)
from transformers.utils import logging

from spacrd_core.cards import EncoderCard, Network
from spacrd_core.errors import WeightsError
from spacrd_encoders._cards import IMAGENET, hub_card
from spacrd_encoders.backbone.base import HubEncoder
from spacrd_encoders.backbone.state_dict_names import to_timm_names

SMALL: dict[str, Any] = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3}
SMALL_TIMM = {"embed_dim": 48, "depth": 2, "num_heads": 3, "global_pool": ""}
GATED = {"mlp_layer": "SwiGLUPacked", "act_layer": "SiLU", "mlp_ratio": 2 * 128 / 48, "init_values": 1.0}
# Of each class of published encoder: transformers' network, and timm's name and arguments for the same.
KINDS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "phikon": (
        lambda px: ViTModel(
            ViTConfig(**SMALL, intermediate_size=192, image_size=px, patch_size=16), add_pooling_layer=False
        ),
        "vit_base_patch16_224",
        {},
    ),
    "phikon-v2": (
        lambda px: Dinov2Model(Dinov2Config(**SMALL, image_size=px, patch_size=16)),
        "vit_large_patch16_224",
        {"init_values": 1.0},
    ),
    "midnight": (
        lambda px: Dinov2Model(Dinov2Config(**SMALL, image_size=px, patch_size=14, use_swiglu_ffn=True)),
        "vit_giant_patch14_dinov2",
        {"mlp_ratio": GATED["mlp_ratio"]},
    ),
    "hibou": (
        lambda px: Dinov2WithRegistersModel(
            Dinov2WithRegistersConfig(**SMALL, image_size=px, patch_size=14, use_swiglu_ffn=True, num_register_tokens=4)
        ),
        "vit_base_patch14_reg4_dinov2",
        GATED,
    ),
}


def oracle(kind: str, px: int) -> PreTrainedModel:
    """Transformers' network with all weights random, including those initialised as 0 or 1."""
    logging.disable_progress_bar()
    torch.manual_seed(0)
    network: PreTrainedModel = KINDS[kind][0](px)
    with torch.no_grad():
        for number in network.parameters():
            number.add_(0.2 * torch.randn_like(number))
    return network.eval()


def card(kind: str, px: int) -> EncoderCard:
    _, architecture, arguments = KINDS[kind]
    return hub_card(
        kind,
        "Small",
        recipe={"input_px": px, "dim": 96, "pooling": "cls+mean", **IMAGENET},
        resize="triangle",
        citation="",
        network=Network(
            repo="lab/small",
            architecture=architecture,
            arguments={**SMALL_TIMM, **arguments, "img_size": px},
            parameters=0,
        ),
    )


def tiles(px: int) -> Tensor:
    return torch.randint(0, 256, (3, 3, px, px), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.mark.parametrize("published_px", [112, 224], ids=["same grid", "another grid"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_embeddings_are_those_of_transformers(kind: str, published_px: int, tmp_path: Path) -> None:
    """The class token and the mean of the patches, which must not include registers."""
    network = oracle(kind, published_px)
    network.save_pretrained(tmp_path)
    encoder = HubEncoder(HubEncoder.Options(weights=tmp_path / "model.safetensors"), card=card(kind, 112))
    images = tiles(112) / 255 - torch.tensor(IMAGENET["mean"])[:, None, None]
    images /= torch.tensor(IMAGENET["std"])[:, None, None]
    extra = {"interpolate_pos_encoding": True} if kind == "phikon" else {}
    with torch.inference_mode():
        tokens = network(images, **extra).last_hidden_state
    patches = tokens[:, 5:] if kind == "hibou" else tokens[:, 1:]
    expected = torch.cat([tokens[:, 0], patches.mean(dim=1)], dim=1)
    embeddings = encoder.embed(tiles(112))
    assert torch.cosine_similarity(embeddings, expected).min() > 0.99999
    assert torch.allclose(embeddings, expected, atol=2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_one_of_the_three_parts_of_attention_is_refused(kind: str, tmp_path: Path) -> None:
    oracle(kind, 112).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["encoder.layer.1.attention.attention.key.bias"]
    save_file(tensors, tmp_path / "torn.safetensors")
    encoder = HubEncoder(HubEncoder.Options(weights=tmp_path / "torn.safetensors"), card=card(kind, 112))
    with pytest.raises(WeightsError, match=r"it lacks 1 tensors \(blocks\.1\.attn\.qkv\.bias\)"):
        encoder.embed(tiles(112))


def test_the_names_of_dinov2_are_known_too() -> None:
    """As in the files of kaiko.ai and HistAI on GitHub: gated layers, registers, a mask token."""
    tensors = {
        "cls_token": torch.ones(1, 1, 4),
        "pos_embed": torch.arange(20.0).reshape(1, 5, 4),
        "register_tokens": torch.zeros(1, 2, 4),
        "mask_token": torch.zeros(1, 4),
        "blocks.0.mlp.w12.weight": torch.zeros(6, 4),
        "blocks.0.mlp.w3.bias": torch.zeros(4),
    }
    renamed = to_timm_names(tensors)
    assert renamed.keys() == {"cls_token", "pos_embed", "reg_token", "blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc2.bias"}
    assert torch.equal(renamed["cls_token"], 1 + torch.arange(4.0).reshape(1, 1, 4))
    assert torch.equal(renamed["pos_embed"], tensors["pos_embed"][:, 1:])


def test_timms_own_names_are_left_alone() -> None:
    tensors = {"cls_token": torch.ones(1), "blocks.0.attn.qkv.weight": torch.ones(2), "norm.bias": torch.ones(3)}
    assert to_timm_names(tensors) == tensors
