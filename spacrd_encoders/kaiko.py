"""The five networks of kaiko.ai's "Towards large-scale training of pathology foundation models"."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import HALF, hub_card

RECIPE = {"pooling": "cls", "licence": "Kaiko Non-Commercial Public License v1", **HALF}
SIZES = {  # short name: (kind, architecture, dim, parameters, positions_px)
    "s8": ("ViT-S/8", "vit_small_patch8_224", 384, 21_670_272, None),
    "s16": ("ViT-S/16", "vit_small_patch16_224", 384, 21_665_664, None),
    "b8": ("ViT-B/8", "vit_base_patch8_224", 768, 85_807_872, None),
    "b16": ("ViT-B/16", "vit_base_patch16_224", 768, 85_798_656, None),
    "l14": ("ViT-L/14 with registers", "vit_large_patch14_reg4_dinov2", 1024, 303_230_976, 518),
}
CARDS = tuple(
    hub_card(
        f"kaiko-{size}",
        f"kaiko.ai's {kind} trained on TCGA",
        aliases=(f"kaiko-vit{size}",),
        recipe={"dim": dim, **RECIPE},
        resize="triangle",
        citation="Aben et al. 2024, arXiv:2404.15217",
        network=Network(
            repo=f"1aurent/{architecture}.kaiko_ai_towards_large_pathology_fms",
            files=("model.safetensors",),
            architecture=architecture,
            arguments={"img_size": 224},
            parameters=parameters,
            positions_px=positions_px,
        ),
    )
    for size, (kind, architecture, dim, parameters, positions_px) in SIZES.items()
)
