"""Bioptimus's H-optimus-0, H-optimus-1 and H0-mini."""

from __future__ import annotations

from spacrd_core.cards import Network
from spacrd_encoders._cards import hub_card

PIXELS = {"mean": (0.707223, 0.578729, 0.703617), "std": (0.211883, 0.230117, 0.177517)}
GIANT = {"dim": 1536, "pooling": "cls", "precision": "fp16", "gated": True, **PIXELS}
GIANT_ARGUMENTS = {"img_size": 224, "global_pool": "token", "init_values": 1e-5, "dynamic_img_size": False}

H_OPTIMUS_0 = hub_card(
    "h-optimus-0",
    "H-optimus-0, a ViT-g/14 with registers trained on 500,000 H&E slides",
    aliases=("hoptimus0",),
    recipe={**GIANT, "licence": "Apache-2.0"},
    resize="bicubic",
    citation="Saillard et al. 2024, github.com/bioptimus/releases",
    network=Network(
        repo="bioptimus/H-optimus-0",
        revision="b145cc1e6c6b30d3251aa8b1f844e6974188a743",
        files=("pytorch_model.bin",),
        architecture="vit_giant_patch14_reg4_dinov2",
        arguments=GIANT_ARGUMENTS,
        parameters=1_134_774_272,
    ),
)
H_OPTIMUS_1 = hub_card(
    "h-optimus-1",
    "H-optimus-1, a ViT-g/14 with registers trained on a million slides of 800,000 patients",
    aliases=("hoptimus1",),
    recipe={**GIANT, "licence": "CC-BY-NC-ND-4.0"},
    resize="bicubic",
    citation="Bioptimus 2025, huggingface.co/bioptimus/H-optimus-1",
    network=Network(
        repo="bioptimus/H-optimus-1",
        revision="3592cb220dec7a150c5d7813fb56e68bd57473b9",
        architecture="vit_giant_patch14_reg4_dinov2",
        arguments=GIANT_ARGUMENTS,
        parameters=1_134_774_272,
    ),
)
H0_MINI = hub_card(
    "h0-mini",
    "H0-mini, a ViT-B/14 with registers distilled from H-optimus-0",
    recipe={
        "dim": 1536,
        "pooling": "cls+mean",
        "precision": "fp16",
        "licence": "CC-BY-NC-ND-4.0",
        "gated": True,
        **PIXELS,
    },
    resize="bicubic",
    citation="Filiot et al. 2025, arXiv:2501.16239",
    network=Network(
        repo="bioptimus/H0-mini",
        revision="5b5cc0505d19ae558270045eb0df8c34df4d9609",
        files=("model.safetensors",),
        architecture="vit_base_patch14_reg4_dinov2",
        arguments={
            "img_size": 224,
            "mlp_ratio": 5.33334,
            "mlp_layer": "SwiGLUPacked",
            "act_layer": "SiLU",
            "init_values": 1e-5,
            "global_pool": "",
        },
        parameters=85_739_520,
    ),
)
CARDS = (H_OPTIMUS_0, H_OPTIMUS_1, H0_MINI)
