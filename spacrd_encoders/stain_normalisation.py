"""Estimate a section's staining and normalise it to a reference staining.

The colours of the two stains are estimated as in Macenko et al. 2009, ISBI: the optical densities of tissue are between
them. The strengths are measured where the tissue is dense, which is rarely without nuclei or matrix; the mean would
depend on the tissue, and hide that a section is full of tumour. Eosin still depends on it, because tumour has little:
its strength is the geometric mean of its own and that of haematoxylin.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spacrd_core.arrays import Array

# Reference haematoxylin and eosin: their optical density in red, green and blue, and their amounts in dense tissue.
REFERENCE_STAINS = ((0.72, 0.60, 0.33), (0.44, 0.77, 0.46))
REFERENCE_STRENGTH = (0.75, 0.55)
# Pixels painted white have no density at all. The palest of the others are background, up to a maximum density.
WHITE_DENSITY, PALEST_QUANTILE, MAX_BACKGROUND_DENSITY = 0.004, 0.01, 0.12
MIN_TISSUE_DENSITY, MIN_TISSUE_PX = 0.12, 2000
ANGLE_QUANTILE, DENSE_QUANTILE = 0.01, 0.95
EOSIN_WEIGHT = 0.5  # weight of eosin's own log strength, against haematoxylin's
MIN_STRENGTH, MAX_STRENGTH = 1 / 3, 3.0
MAX_COLOUR_COSINE = 0.99  # cosine above which two colours are one: a single stain, or none


@dataclass(frozen=True)
class Staining:
    """The background's optical density in red, green and blue, and the matrix that maps densities to the reference.

    Both are rounded, so that they do not depend on the order of summation.
    """

    background: Array
    colours: Array

    @classmethod
    def fit(cls, density: Float[Array, "px 3"]) -> Self | None:
        """Return the staining of a sample of a section's optical densities; None if there is too little tissue."""
        background = _background(density)
        tissue = density - background
        tissue = tissue[tissue.mean(axis=1) > MIN_TISSUE_DENSITY]
        if len(tissue) < MIN_TISSUE_PX:
            return None
        stains = _stains(tissue)
        amounts = np.quantile(tissue @ np.linalg.inv(_with_residual(stains)), DENSE_QUANTILE, axis=0)
        haematoxylin, eosin = np.clip(amounts[:2] / REFERENCE_STRENGTH, MIN_STRENGTH, MAX_STRENGTH)
        strengths = (haematoxylin, eosin**EOSIN_WEIGHT * haematoxylin ** (1 - EOSIN_WEIGHT), 1)
        colours = (
            np.linalg.inv(_with_residual(stains))
            @ np.diag(1 / np.array(strengths))
            @ _with_residual(np.array(REFERENCE_STAINS))
        )
        return cls(background.round(4), colours.round(4))

    def normalise(self, density: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """Return optical densities in reference staining on a clear background."""
        background, colours = (
            torch.tensor(part, dtype=torch.float32, device=density.device) for part in (self.background, self.colours)
        )
        with torch.autocast(density.device.type, enabled=False):
            tissue = (density - background[:, None, None]).clamp(min=0)
            return torch.einsum("nchw,cd->ndhw", tissue, colours).clamp(min=0)


def _background(density: Float[Array, "px 3"]) -> Float[Array, " 3"]:
    mean = density.mean(axis=1)
    scanned = mean > WHITE_DENSITY
    if not scanned.any():
        return np.zeros(3)
    palest = density[scanned & (mean <= np.quantile(mean[scanned], PALEST_QUANTILE))]
    return np.asarray(np.median(palest, axis=0).clip(0, MAX_BACKGROUND_DENSITY))


def _stains(tissue: Float[Array, "px 3"]) -> Float[Array, "2 3"]:
    """Return the unit colours of haematoxylin and eosin; the reference colours if the tissue has one colour only."""
    _, axes = np.linalg.eigh(tissue.T @ tissue)
    plane = axes[:, [2, 1]] * np.where(axes[:, [2, 1]].sum(axis=0) < 0, -1, 1)
    along, across = (tissue @ plane).T
    angles = np.quantile(np.arctan2(across, along), [ANGLE_QUANTILE, 1 - ANGLE_QUANTILE])
    stains = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ plane.T
    if stains[0] @ stains[1] > MAX_COLOUR_COSINE or (stains < -0.1).any():
        stains = np.array(REFERENCE_STAINS)
    return _unit(stains[np.argsort(-stains[:, 0])])  # haematoxylin absorbs more red


def _with_residual(stains: Float[Array, "2 3"]) -> Float[Array, "3 3"]:
    """Return the unit colours of the stains and, as a third, the residual direction orthogonal to both."""
    unit = _unit(stains)
    return np.concatenate([unit, _unit(np.cross(*unit)[None])])


def _unit(rows: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
