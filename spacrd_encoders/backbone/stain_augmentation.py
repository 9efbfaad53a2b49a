"""Stain augmentation of tiles, for averaging embeddings over the stainings of different laboratories.

Stains are separated as in Ruifrok & Johnston 2001 and their strengths drawn as in the augmentation of Tellez et al.
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

# The range between laboratories: strength relative to the tile's own, and the optical density of the background.
MIN_STRENGTH, MAX_STRENGTH, MAX_TINT = 0.7, 1.4, 0.1
STAIN_VIEWS = Field(1, ge=1, le=64, description="Number of stainings to average over; 1 uses the tile's own only.")


def recipe_with_views(recipe: Recipe, views: int) -> Recipe:
    """Return the recipe of embeddings averaged over a number of stainings; for 1, the recipe itself."""
    if views == 1:
        return recipe
    return replace(recipe, settings=json.dumps({**json.loads(recipe.settings), "stain_views": views}))


def augment_stain(light: Float[Tensor, "n 3 h w"], view: int) -> Float[Tensor, "n 3 h w"]:
    """Return tiles (light from 0 to 1) in one of the stainings; 0 is their own, the others are fixed."""
    if view == 0:
        return light
    with torch.autocast(light.device.type, enabled=False):  # half precision rounds colours more coarsely than 8 bits
        colours, tint = (part.to(light.device) for part in stain_parameters(view))
        density = -torch.log10(light.clamp(min=1 / 256))
        augmented = torch.einsum("nchw,cd->ndhw", density, colours) + tint[:, None, None]
        return (10**-augmented).clamp(0, 1)


def stain_parameters(view: int) -> tuple[Float[Tensor, "3 3"], Float[Tensor, " 3"]]:
    """Return the matrix that maps optical densities to one staining, and the tint it adds to each colour."""
    numbers = torch.rand(5, generator=torch.Generator().manual_seed(view))
    strengths = torch.ones(3)
    strengths[:2] = MIN_STRENGTH * (MAX_STRENGTH / MIN_STRENGTH) ** numbers[:2]
    stains = torch.tensor(STAINS)
    stains = stains / stains.norm(dim=1, keepdim=True)
    return torch.linalg.inv(stains) @ torch.diag(strengths) @ stains, MAX_TINT * numbers[2:]
