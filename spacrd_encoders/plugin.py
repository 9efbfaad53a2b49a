"""The encoder cards of this package, available without heavy imports."""

from __future__ import annotations

from spacrd_core.cards import EncoderCard, Recipe
from spacrd_core.hookspecs import hookimpl
from spacrd_encoders import (
    dinov2,
    gigapath,
    gpfm,
    hibou,
    hoptimus,
    kaiko,
    lunit,
    midnight,
    phikon,
    resnet,
    uni,
    virchow,
)

STAIN = Recipe(
    input_px=32,
    um_per_px=12.5,
    dim=21,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    pooling="statistics",
    settings='{"version": 2}',  # raise it whenever a feature changes: old and new embeddings must not be mixed
    licence="MIT",
)
STAIN_CARD = EncoderCard(
    "stain",
    "spacrd_encoders.stain:Stain",
    "Amount of staining and haematoxylin, nuclear density and tissue texture; needs no weights",
    recipe=STAIN,
    citation="Ruifrok & Johnston 2001, Anal Quant Cytol Histol 23:291; Macenko et al. 2009, IEEE ISBI, p. 1107",
)
TIMM = EncoderCard(
    "timm",
    "spacrd_encoders.timm_family:TimmModel",
    "Any timm model, as timm:<model>, with weights from the Hub or a file, or random",
    family=True,
    citation="Wightman 2019, PyTorch Image Models, doi:10.5281/zenodo.4414861",
)
HUB = EncoderCard(
    "hf-hub",
    "spacrd_encoders.hub_family:HubModel",
    "Any timm model on the Hugging Face Hub, as hf-hub:<owner>/<repository>[@revision]",
    family=True,
    citation="Wightman 2019, PyTorch Image Models, doi:10.5281/zenodo.4414861",
    robust=("hf-hub:medarc/OpenMidnight-1.1-SPECTRA",),
)
FAMILIES = (uni, virchow, gigapath, hoptimus, phikon, midnight, hibou, gpfm, kaiko, lunit, dinov2, resnet)


@hookimpl
def spacrd_encoders() -> tuple[EncoderCard, ...]:
    """Return the encoders that come with SpaCRD."""
    return (STAIN_CARD, TIMM, HUB, *(card for family in FAMILIES for card in family.CARDS))
