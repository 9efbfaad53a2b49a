"""Tiles as other laboratories would have stained them, for averaging embeddings over stainings.

Stains are told apart as in Ruifrok & Johnston 2001 and their strengths drawn as in the augmentation of Tellez et al.
2018, IEEE Trans Med Imaging 37:2126, "Whole-slide mitosis detection in H&E breast histology".
"""

import json
from dataclasses import replace

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spacrd_core.cards import Recipe
from spacrd_encoders.stain import STAINS

# Laboratories differ that far: the share of a stain's usual strength, and the optical density that glass and wash add.
WEAKEST, STRONGEST, TINT = 0.7, 1.4, 0.1
STAIN_VIEWS = Field(1, ge=1, le=64, description="Stainings a tile is seen in and averaged over; 1 is its own alone.")


def recipe_with_views(recipe: Recipe, views: int) -> Recipe:
    """Return the recipe of embeddings averaged over so many stainings; of one, it is the recipe itself."""
    if views == 1:
        return recipe
    return replace(recipe, settings=json.dumps({**json.loads(recipe.settings), "stain_views": views}))


def restained(light: Float[Tensor, "n 3 h w"], view: int) -> Float[Tensor, "n 3 h w"]:
    """Return tiles, their light between 0 and 1, in one of the stainings; 0 is their own, the others never change."""
    if view == 0:
        return light
    with torch.autocast(light.device.type, enabled=False):  # half precision would round colours more than 8 bits do
        colours, tint = (part.to(light.device) for part in staining(view))
        density = -torch.log10(light.clamp(min=1 / 256))
        other = torch.einsum("nchw,cd->ndhw", density, colours) + tint[:, None, None]
        return (10**-other).clamp(0, 1)


def staining(view: int) -> tuple[Float[Tensor, "3 3"], Float[Tensor, " 3"]]:
    """Return how one staining mixes optical densities anew, and what it adds to each colour."""
    numbers = torch.rand(5, generator=torch.Generator().manual_seed(view))
    strengths = torch.ones(3)
    strengths[:2] = WEAKEST * (STRONGEST / WEAKEST) ** numbers[:2]
    stains = torch.tensor(STAINS)
    stains = stains / stains.norm(dim=1, keepdim=True)
    return torch.linalg.inv(stains) @ torch.diag(strengths) @ stains, TINT * numbers[2:]
