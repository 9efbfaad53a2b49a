"""Paige's Virchow and Virchow2, which concatenate the class token and the mean of the patch tokens."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, hub_card

RECIPE = {"dim": 2560, "pooling": "cls+mean", "precision": "fp16", "gated": True, **IMAGENET}
ARGUMENTS = {
    "img_size": 224,
    "init_values": 1e-5,
    "mlp_ratio": 5.3375,
    "mlp_layer": "SwiGLUPacked",
    "act_layer": "SiLU",
    "global_pool": "",
    "dynamic_img_size": True,
}

VIRCHOW = hub_card(
    "virchow",
    "Virchow, a ViT-H/14 trained on 1.5 million H&E slides",
    recipe={**RECIPE, "licence": "Apache-2.0"},
    resize="bicubic",
    citation="Vorontsov et al. 2024, Nat Med 30:2924, doi:10.1038/s41591-024-03141-0",
    network=Network(
        repo="paige-ai/Virchow",
        revision="19eebc84ae33e79f1b2d866e6ff90ae50e522f9a",
        architecture="vit_huge_patch14_224",
        arguments=ARGUMENTS,
        parameters=631_229_184,
    ),
)
VIRCHOW2 = hub_card(
    "virchow2",
    "Virchow2, a ViT-H/14 with registers trained on 3.1 million slides, H&E and IHC, at four magnifications",
    recipe={**RECIPE, "licence": "CC-BY-NC-ND-4.0"},
    resize="bicubic",
    citation="Zimmermann et al. 2024, arXiv:2408.00738",
    trained_um_per_px=(0.25, 0.5, 1.0, 2.0),
    network=Network(
        repo="paige-ai/Virchow2",
        revision="3158645804b69e3f3bc4439d4116edddf0840a72",
        architecture="vit_huge_patch14_224",
        arguments={**ARGUMENTS, "reg_tokens": 4},
        parameters=631_239_424,
    ),
)
CARDS = (VIRCHOW, VIRCHOW2)
