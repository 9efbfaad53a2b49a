"""HistAI's Hibou-B and Hibou-L. Their loader is code on the Hub; here their tensors are loaded into timm's network."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import hub_card

RECIPE = {
    "pooling": "cls",
    "mean": (0.7068, 0.5755, 0.722),
    "std": (0.195, 0.2316, 0.1816),
    "licence": "Apache-2.0",
    "gated": True,
}
ARGUMENTS = {"img_size": 224, "mlp_layer": "SwiGLUPacked", "act_layer": "SiLU", "init_values": 1e-5}
CITATION = "Nechaev et al. 2024, arXiv:2406.05074"

HIBOU_B = hub_card(
    "hibou-b",
    "Hibou-B, a ViT-B/14 with registers trained on a million slides",
    aliases=("hibou_b",),
    recipe={"dim": 768, **RECIPE},
    resize="bicubic",
    citation=CITATION,
    network=Network(
        repo="histai/hibou-b",
        files=("model.safetensors",),
        architecture="vit_base_patch14_reg4_dinov2",
        arguments={**ARGUMENTS, "mlp_ratio": 2 * 2048 / 768},
        parameters=85_739_520,
    ),
)
HIBOU_L = hub_card(
    "hibou-l",
    "Hibou-L, a ViT-L/14 with registers trained on a million slides",
    aliases=("hibou_l",),
    recipe={"dim": 1024, **RECIPE},
    resize="bicubic",
    citation=CITATION,
    network=Network(
        repo="histai/hibou-L",
        files=("model.safetensors",),
        architecture="vit_large_patch14_reg4_dinov2",
        arguments={**ARGUMENTS, "mlp_ratio": 2 * 2736 / 1024},
        parameters=303_657_216,
    ),
)
CARDS = (HIBOU_B, HIBOU_L)
