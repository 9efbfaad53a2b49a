"""How a laboratory stained a section, and what the section would look like stained as usual.

The colours of the two stains are found as in Macenko et al. 2009, ISBI: tissue's optical densities lie between them.
The strengths are those where the tissue is dense, which is seldom empty of nuclei or of matrix; the mean would follow
the tissue, and a section full of tumour look like any other. Eosin alone still follows it, for tumour has little:
its strength is put half-way to that of haematoxylin.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spacrd_core.arrays import Array

# Haematoxylin and eosin as usual: their optical density in red, green and blue, and how much of each dense tissue has.
USUAL = ((0.72, 0.60, 0.33), (0.44, 0.77, 0.46))
USUAL_STRENGTH = (0.75, 0.55)
# Painted white has no density at all; the palest of the rest is glass, unless it is denser than glass ever is.
PAINTED, PALEST, GLASS = 0.004, 0.01, 0.12
TISSUE, FEWEST_PX = 0.12, 2000
COLOUR_TAIL, DENSE = 0.01, 0.95
EOSIN_KEPT = 0.5  # of the logarithm of eosin's strength beyond haematoxylin's
WEAKEST, STRONGEST = 1 / 3, 3.0
ALIKE = 0.99  # cosine of two colours that are one: a single stain, or none


@dataclass(frozen=True)
class Staining:
    """What glass absorbs of red, green and blue, and the matrix that takes optical densities to usual staining.

    Both are rounded, so that they do not depend on the order of a sum.
    """

    glass: Array
    colours: Array

    @classmethod
    def of(cls, density: Float[Array, "px 3"]) -> Self | None:
        """Return the staining of a sample of a section's optical densities; None where there is too little tissue."""
        glass = _glass(density)
        tissue = density - glass
        tissue = tissue[tissue.mean(axis=1) > TISSUE]
        if len(tissue) < FEWEST_PX:
            return None
        stains = _stains(tissue)
        amounts = np.quantile(tissue @ np.linalg.inv(_with_rest(stains)), DENSE, axis=0)
        haematoxylin, eosin = np.clip(amounts[:2] / USUAL_STRENGTH, WEAKEST, STRONGEST)
        strengths = (haematoxylin, eosin**EOSIN_KEPT * haematoxylin ** (1 - EOSIN_KEPT), 1)
        colours = np.linalg.inv(_with_rest(stains)) @ np.diag(1 / np.array(strengths)) @ _with_rest(np.array(USUAL))
        return cls(glass.round(4), colours.round(4))

    def undone(self, density: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """Return optical densities as they would be in usual staining on clear glass."""
        glass, colours = (
            torch.tensor(part, dtype=torch.float32, device=density.device) for part in (self.glass, self.colours)
        )
        with torch.autocast(density.device.type, enabled=False):
            beyond = (density - glass[:, None, None]).clamp(min=0)
            return torch.einsum("nchw,cd->ndhw", beyond, colours).clamp(min=0)


def _glass(density: Float[Array, "px 3"]) -> Float[Array, " 3"]:
    mean = density.mean(axis=1)
    there = mean > PAINTED
    if not there.any():
        return np.zeros(3)
    palest = density[there & (mean <= np.quantile(mean[there], PALEST))]
    return np.asarray(np.median(palest, axis=0).clip(0, GLASS))


def _stains(tissue: Float[Array, "px 3"]) -> Float[Array, "2 3"]:
    """Return the colours of haematoxylin and of eosin, of length 1; the usual ones where tissue has one colour only."""
    _, axes = np.linalg.eigh(tissue.T @ tissue)
    plane = axes[:, [2, 1]] * np.where(axes[:, [2, 1]].sum(axis=0) < 0, -1, 1)
    along, across = (tissue @ plane).T
    angles = np.quantile(np.arctan2(across, along), [COLOUR_TAIL, 1 - COLOUR_TAIL])
    found = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ plane.T
    if found[0] @ found[1] > ALIKE or (found < -0.1).any():
        found = np.array(USUAL)
    return _unit(found[np.argsort(-found[:, 0])])  # haematoxylin absorbs more red


def _with_rest(stains: Float[Array, "2 3"]) -> Float[Array, "3 3"]:
    """Return the stains' colours, and as a third what neither of them explains."""
    unit = _unit(stains)
    return np.concatenate([unit, _unit(np.cross(*unit)[None])])


def _unit(rows: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
