"""The cards of this package, and the recipes that are known before an encoder is built."""

from __future__ import annotations

from spacrd_core.cards import EncoderCard, Recipe
from spacrd_core.hookspecs import hookimpl

STAIN = Recipe(
    input_px=32,
    um_per_px=12.5,
    dim=33,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    pooling="statistics",
    settings='{"version": 1}',  # to be raised whenever a feature changes: old and new numbers must not mix
    licence="MIT",
)
UNI = Recipe(
    input_px=224,
    um_per_px=0.5,
    dim=1024,
    pooling="cls",
    weights="hub:MahmoodLab/UNI",
    licence="CC-BY-NC-ND-4.0",
    gated=True,
)


@hookimpl
def spacrd_encoders() -> tuple[EncoderCard, ...]:
    """Return the encoders that come with SpaCRD."""
    return (
        EncoderCard(
            "stain",
            "spacrd_encoders.stain:Stain",
            "How much is stained, with what, how dense the nuclei and how the tissue is woven; needs no weights",
            recipe=STAIN,
            citation="Ruifrok & Johnston 2001, Anal Quant Cytol Histol 23:291 (stain vectors)",
        ),
        EncoderCard(
            "timm",
            "spacrd_encoders.timm_family:TimmModel",
            "Any model of timm, as timm:<model>: from the hub, from a file, or with random weights",
            family=True,
            citation="Wightman 2019, PyTorch Image Models, doi:10.5281/zenodo.4414861",
        ),
        EncoderCard(
            "uni",
            "spacrd_encoders.uni:Uni",
            "UNI, a ViT-L/16 trained on 100,000 H&E slides; its weights are gated and non-commercial",
            aliases=("uni_v1",),
            recipe=UNI,
            citation="Chen et al. 2024, Nat Med 30:850, doi:10.1038/s41591-024-02857-3",
        ),
    )
