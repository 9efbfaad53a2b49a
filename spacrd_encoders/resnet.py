"""ResNet-50 trained on ImageNet: small, open, and the baseline of many benchmarks."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, hub_card

RESNET50 = hub_card(
    "resnet50",
    "ResNet-50 trained on ImageNet, with averaged last features",
    recipe={"dim": 2048, "pooling": "avg", "licence": "BSD-3-Clause", **IMAGENET},
    resize="triangle",
    citation="He et al. 2016, CVPR, arXiv:1512.03385",
    trained_um_per_px=(),
    network=Network(
        repo="timm/resnet50.tv_in1k",
        architecture="resnet50",
        parameters=23_561_205,
    ),
)
CARDS = (RESNET50,)
