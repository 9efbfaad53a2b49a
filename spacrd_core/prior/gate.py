"""The gate: whether a section has the tissue that the gene lists are for at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.cohort.evidence import Epithelium
from spacrd_core.prior.score import list_columns, sampling_error

if TYPE_CHECKING:
    from jaxtyping import Float

    from spacrd_core.arrays import Array
    from spacrd_core.genes.expression import Expression
    from spacrd_core.prior.lists import GeneLists

# log2 of epithelium over upkeep: breast and colon carcinomas, normal spots too, +0.1 to +1.7; fetal heart -2.2 to -3.0,
# melanoma -5.7 (docs/trust.md).
MIN_LOG2_RATIO = -1.0
MIN_GENES = 3  # fewer genes do not tell tissues apart


def find_epithelium(expression: Expression, lists: GeneLists) -> Epithelium:
    """Return whether a section has epithelium.

    The mean share of counts of the epithelial genes is compared with that of genes that every cell expresses. Means are
    of square roots, so that one gene does not decide: muscle has two keratins, epithelium has them all. With a part of
    the epithelial genes measured, the answer is unknown unless it is the same one standard error higher and lower.
    """
    columns = list_columns(expression, lists)
    genes = {name: columns[name] for name in (lists.epithelial, lists.upkeep)}
    measured, listed = len(genes[lists.epithelial]), len(lists.positive[lists.epithelial])
    if min(map(len, genes.values())) < MIN_GENES:
        return Epithelium("unknown", measured=measured, listed=listed)
    roots = {name: np.sqrt(_mean_shares(expression, of_list)) for name, of_list in genes.items()}
    means = {name: values.mean() for name, values in roots.items()}
    if not means[lists.upkeep] > 0:
        return Epithelium("unknown", measured=measured, listed=listed)
    floor = np.finfo(np.float32).tiny
    ratio = 2 * float(np.log2(max(means[lists.epithelial], floor) / means[lists.upkeep]))
    relative = sampling_error(roots[lists.epithelial], listed) / max(means[lists.epithelial], floor)
    error = float(2 / np.log(2) * relative)
    above, below = ratio - error > MIN_LOG2_RATIO, ratio + error < MIN_LOG2_RATIO
    return Epithelium("present" if above else "none" if below else "unknown", ratio, error, measured, listed)


def _mean_shares(expression: Expression, columns: Array) -> Float[Array, " genes"]:
    """The mean share of some genes in the counts of a spot."""
    counts = expression.values[:, columns].expm1()
    return np.asarray(counts.mean(axis=0)).ravel()
