"""DINOv2 of Meta, trained on photographs: open, permissive, in four sizes."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, published

SEES = {"pooling": "cls", "licence": "Apache-2.0", **IMAGENET}
SIZES = {"s": ("small", 384), "b": ("base", 768), "l": ("large", 1024), "g": ("giant", 1536)}
PARAMETERS = {"s": 21_628_800, "b": 85_724_928, "l": 303_227_904, "g": 1_134_769_664}

CARDS = tuple(
    published(
        f"dinov2-{size}",
        f"DINOv2's ViT-{size.upper()}/14, trained on 142 million photographs",
        recipe={"dim": dim, **SEES},
        trained_resize="bicubic",
        citation="Oquab et al. 2023, arXiv:2304.07193",
        trained_um_per_px=(),
        network=Network(
            repo=f"timm/vit_{title}_patch14_dinov2.lvd142m",
            architecture=f"vit_{title}_patch14_dinov2",
            arguments={"img_size": 224},
            parameters=PARAMETERS[size],
            positions_px=518,
        ),
    )
    for size, (title, dim) in SIZES.items()
)
