"""kaiko.ai's Midnight-12k, published with transformers' tensor names; the best open encoder in its own benchmarks."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import HALF, hub_card

MIDNIGHT = hub_card(
    "midnight",
    "Midnight-12k, a ViT-g/14 trained on 12,000 TCGA slides at four magnifications; open weights, permissive licence",
    aliases=("midnight12k",),
    recipe={"dim": 3072, "pooling": "cls+mean", "precision": "fp16", "licence": "MIT", **HALF},
    resize="triangle",
    citation="Karasikov et al. 2025, arXiv:2504.05186",
    trained_um_per_px=(0.25, 0.5, 1.0, 2.0),
    network=Network(
        repo="kaiko-ai/midnight",
        revision="adc6b15679c981cce6f9b018bbad09d16eeeda9f",
        files=("model.safetensors",),
        architecture="vit_giant_patch14_dinov2",
        arguments={"img_size": 224, "global_pool": ""},
        parameters=1_134_769_664,
    ),
)
CARDS = (MIDNIGHT,)
