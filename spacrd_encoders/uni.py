"""The Mahmood lab's UNI and UNI2-h. Their terms extend to models trained on their embeddings."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, hub_card

TERMS = {"licence": "CC-BY-NC-ND-4.0", "gated": True}
CITATION = "Chen et al. 2024, Nat Med 30:850, doi:10.1038/s41591-024-02857-3"

UNI = hub_card(
    "uni",
    "UNI, a ViT-L/16 trained on 100 million patches of 100,000 H&E slides; the default",
    aliases=("uni_v1",),
    recipe={"dim": 1024, "pooling": "cls", "precision": "fp16", **IMAGENET, **TERMS},
    resize="triangle",
    citation=CITATION,
    network=Network(
        repo="MahmoodLab/UNI",
        revision="b55a5ec6cade1a39edfe6534189a9b8ca7a022f0",
        files=("pytorch_model.bin",),
        sha256="56ef09b44a25dc5c7eedc55551b3d47bcd17659a7a33837cf9abc9ec4e2ffb40",
        architecture="vit_large_patch16_224",
        arguments={"img_size": 224, "patch_size": 16, "init_values": 1e-5, "dynamic_img_size": True},
        parameters=303_350_784,
    ),
)
UNI2 = hub_card(
    "uni2",
    "UNI2-h, a ViT-H/14 trained on 200 million patches of 350,000 H&E and IHC slides",
    aliases=("uni2-h", "uni_v2"),
    recipe={"dim": 1536, "pooling": "cls", "precision": "bf16", **IMAGENET, **TERMS},
    resize="triangle",
    citation=CITATION,
    network=Network(
        repo="MahmoodLab/UNI2-h",
        revision="d517a8dd47902dd7c308b3c36f63bce47e7b9a43",
        files=("pytorch_model.bin",),
        sha256="6e077eda234bebc595868d918d3458d9dd32a050199b0ff04443b2f46a0a3b1e",
        architecture="vit_giant_patch14_224",
        arguments={
            "img_size": 224,
            "patch_size": 14,
            "depth": 24,
            "num_heads": 24,
            "init_values": 1e-5,
            "embed_dim": 1536,
            "mlp_ratio": 2.66667 * 2,
            "no_embed_class": True,
            "mlp_layer": "SwiGLUPacked",
            "act_layer": "SiLU",
            "reg_tokens": 8,
            "dynamic_img_size": True,
        },
        parameters=681_394_176,
    ),
)
CARDS = (UNI, UNI2)
