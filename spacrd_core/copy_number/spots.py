"""How far the genes of every spot follow the copy-number profile of the section's tumour-like tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.copy_number.profile import explain
from spacrd_core.prior.standardise import standardise

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from spacrd_core.arrays import Array
    from spacrd_core.copy_number.comparison import Comparison
    from spacrd_core.prior.section_genes import SectionGenes


def score_spots(section: SectionGenes, comparison: Comparison) -> Float[Array, " spots"]:
    """Return how far every spot follows the profile of the tumour-like tissue (mean 0, standard deviation 1).

    A gene is weighted by the mean deviation of the *other* genes of its arm, and of its run within the arm: weighted by
    its own deviation it would show expression, not copy number. Neighbourhood means are read; the result is averaged
    over like tissue.
    """
    genes, contrast = comparison.genes, comparison.contrast
    means = section.means
    association = (means.T @ contrast)[genes.columns] / len(contrast)
    deviations = association - explain(section.expression, genes, association)
    weights = np.zeros((means.shape[1], 2), dtype=np.float32)
    weights[genes.columns] = np.stack([_mean_of_others(deviations, block) for block in (genes.arm, genes.run)], axis=1)
    by_arm, by_run = map(standardise, (means @ weights).T)
    return standardise(section.like_tissue(by_arm + by_run))


def _mean_of_others(values: Float[Array, " genes"], block: Int[Array, " genes"]) -> Float[Array, " genes"]:
    """The mean over the other genes of each gene's block, less its mean over genes; 0 for a gene alone."""
    others = np.bincount(block)[block] - 1
    sums = np.bincount(block, values)[block] - values
    means = np.divide(sums, others, out=np.zeros_like(sums), where=others > 0)
    return np.asarray(means - means.mean())
