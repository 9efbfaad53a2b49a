"""Owkin's Phikon and Phikon-v2, published with transformers' tensor names."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, hub_card

RECIPE = {"pooling": "cls", "licence": "Owkin non-commercial", **IMAGENET}

PHIKON = hub_card(
    "phikon",
    "Phikon, a ViT-B/16 trained on 40 million tiles of TCGA",
    recipe={"dim": 768, **RECIPE},
    resize="triangle",
    citation="Filiot et al. 2023, medRxiv, doi:10.1101/2023.07.21.23292757",
    network=Network(
        repo="owkin/phikon",
        revision="057cc0295895c2df3dd7681a89680da6015cbefe",
        architecture="vit_base_patch16_224",
        arguments={"img_size": 224},
        parameters=85_798_656,
    ),
)
PHIKON_V2 = hub_card(
    "phikon-v2",
    "Phikon-v2, a ViT-L/16 trained on 450 million tiles of public slides",
    aliases=("phikon_v2",),
    recipe={"dim": 1024, **RECIPE},
    resize="bicubic",
    citation="Filiot et al. 2024, arXiv:2409.09173",
    network=Network(
        repo="owkin/phikon-v2",
        revision="2ae989a9c40cffaa27f0a6cb29cc94d1d6f9a5fd",
        files=("model.safetensors",),
        architecture="vit_large_patch16_224",
        arguments={"img_size": 224, "init_values": 1.0},
        parameters=303_350_784,
    ),
)
CARDS = (PHIKON, PHIKON_V2)
