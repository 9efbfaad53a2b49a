"""kaiko.ai's Midnight-12k, the best open encoder in its own benchmarks, and MedARC's adaptation to scanners and stains.

Both are published with transformers' tensor names. The adaptation is merged into the weights of Midnight-12k at the
revision given here, and changes nothing else.
"""

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
MIDNIGHT_SPECTRA = hub_card(
    "midnight-spectra",
    "Midnight-12k trained further to give equal embeddings for all scanners and stains; open weights",
    aliases=("midnight-12k-spectra",),
    recipe={"dim": 3072, "pooling": "cls+mean", "licence": "MIT", **HALF},
    resize="triangle",
    citation="MedARC & Sophont 2026, https://huggingface.co/medarc/Midnight-12k-SPECTRA",
    trained_um_per_px=MIDNIGHT.trained_um_per_px,
    robust=("midnight-spectra",),
    network=Network(
        repo="medarc/Midnight-12k-SPECTRA",
        architecture="vit_giant_patch14_dinov2",
        arguments={"img_size": 224, "global_pool": ""},
        parameters=1_134_769_664,
    ),
)
CARDS = (MIDNIGHT, MIDNIGHT_SPECTRA)
