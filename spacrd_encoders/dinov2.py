"""Meta's DINOv2, trained on photographs: open weights, permissive licence, four sizes."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import IMAGENET, hub_card

RECIPE = {"pooling": "cls", "licence": "Apache-2.0", **IMAGENET}
SIZES = {  # short name: (name in papers, name in timm, dim, parameters)
    "s": ("ViT-S/14", "small", 384, 21_628_800),
    "b": ("ViT-B/14", "base", 768, 85_724_928),
    "l": ("ViT-L/14", "large", 1024, 303_227_904),
    "g": ("ViT-g/14", "giant", 1536, 1_134_769_664),
}

CARDS = tuple(
    hub_card(
        f"dinov2-{size}",
        f"DINOv2 {kind} trained on 142 million photographs",
        recipe={"dim": dim, **RECIPE},
        resize="bicubic",
        citation="Oquab et al. 2023, arXiv:2304.07193",
        trained_um_per_px=(),
        network=Network(
            repo=f"timm/vit_{title}_patch14_dinov2.lvd142m",
            architecture=f"vit_{title}_patch14_dinov2",
            arguments={"img_size": 224},
            parameters=parameters,
            positions_px=518,
        ),
    )
    for size, (kind, title, dim, parameters) in SIZES.items()
)
