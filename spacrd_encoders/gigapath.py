"""The tile encoder of Prov-GigaPath. Its slide encoder is not used here: a spot is one tile."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, hub_card

GIGAPATH = hub_card(
    "gigapath",
    "Tile encoder of Prov-GigaPath, a ViT-g/16 trained on 1.3 billion tiles of 171,000 slides",
    aliases=("prov-gigapath",),
    recipe={
        "dim": 1536,
        "pooling": "cls",
        "precision": "fp16",
        "licence": "Apache-2.0 with conditions",
        "gated": True,
        **IMAGENET,
    },
    resize="bicubic",
    citation="Xu et al. 2024, Nature 630:181, doi:10.1038/s41586-024-07441-w",
    network=Network(
        repo="prov-gigapath/prov-gigapath",
        revision="eba85dd46097c3eedfcc2a3a9a930baecb6bcc19",
        files=("pytorch_model.bin",),
        architecture="vit_giant_patch14_dinov2",
        arguments={
            "img_size": 224,
            "patch_size": 16,
            "embed_dim": 1536,
            "depth": 40,
            "num_heads": 24,
            "mlp_ratio": 5.33334,
            "init_values": 1e-5,
        },
        parameters=1_134_953_984,
    ),
)
CARDS = (GIGAPATH,)
