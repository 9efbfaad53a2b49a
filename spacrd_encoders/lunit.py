"""Lunit's benchmark of self-supervised learning on TCGA: two ViT-S with DINO, and ResNet-50 with three methods."""

from __future__ import annotations

from spacrd_core.cards import EncoderCard, Network
from spacrd_encoders._cards import hub_card

RECIPE = {
    "mean": (0.70322989, 0.53606487, 0.66096631),
    "std": (0.21716536, 0.26081574, 0.20723464),
    "licence": "Lunit non-commercial",
}
CITATION = "Kang et al. 2023, CVPR, arXiv:2212.04690"
VITS = {8: 21_670_272, 16: 21_665_664}  # patch size: parameters
METHODS = {"bt": "Barlow Twins", "mocov2": "MoCo v2", "swav": "SwAV"}


def _vit(patch: int, parameters: int) -> EncoderCard:
    architecture = f"vit_small_patch{patch}_224"
    return hub_card(
        f"lunit-s{patch}",
        f"Lunit's ViT-S/{patch} trained with DINO on TCGA",
        aliases=(f"lunit-vits{patch}",),
        recipe={"dim": 384, "pooling": "cls", **RECIPE},
        resize="bicubic",
        citation=CITATION,
        network=Network(
            repo=f"1aurent/{architecture}.lunit_dino",
            files=("model.safetensors",),
            architecture=architecture,
            arguments={"img_size": 224},
            parameters=parameters,
        ),
    )


def _resnet(method: str, title: str) -> EncoderCard:
    return hub_card(
        f"lunit-rn50-{method}",
        f"Lunit's ResNet-50 trained with {title} on TCGA",
        recipe={"dim": 2048, "pooling": "avg", **RECIPE},
        resize="bicubic",
        citation=CITATION,
        network=Network(
            repo=f"1aurent/resnet50.lunit_{method}",
            files=("model.safetensors",),
            architecture="resnet50",
            parameters=23_561_205,
        ),
    )


CARDS = (
    *(_vit(patch, parameters) for patch, parameters in VITS.items()),
    *(_resnet(method, title) for method, title in METHODS.items()),
)
