"""GPFM, distilled from several pathology encoders. Sources disagree on its licence."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, hub_card

GPFM = hub_card(
    "gpfm",
    "GPFM, a ViT-L/14 trained on 190 million tiles and distilled from UNI, Phikon and CONCH",
    recipe={"dim": 1024, "pooling": "cls", "licence": "unclear: MIT or CC-BY-NC-ND-4.0", **IMAGENET},
    resize="bicubic",
    citation="Ma et al. 2025, Nat Biomed Eng, doi:10.1038/s41551-025-01488-4",
    network=Network(
        repo="majiabo/GPFM",
        files=("GPFM.pth",),
        architecture="vit_large_patch14_dinov2",
        arguments={"img_size": 224, "init_values": 1e-5},
        parameters=303_227_904,
    ),
)
CARDS = (GPFM,)
