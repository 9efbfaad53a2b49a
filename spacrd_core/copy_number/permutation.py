"""Whether neighbouring genes deviate together more than genes at random places would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import poch

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from spacrd_core.arrays import Array


def block_z(values: Float[Array, " genes"], block: Int[Array, " genes"]) -> float:
    """Return how far blocks of genes deviate, in standard deviations of the same with the genes permuted.

    The statistic is the sum over blocks of (sum of values)^2 / (number of genes). Its mean and variance over all
    permutations are exact, so that no draw makes them uncertain.
    """
    values = values - values.mean()
    _, block, sizes = np.unique(block, return_inverse=True, return_counts=True)
    sums = np.bincount(block, values)
    mean, variance = _permutation_moments(values, sizes.astype(np.float64))
    return float(((sums**2 / sizes).sum() - mean) / np.sqrt(variance))


def sum_z(values: Float[Array, " genes"], block: Int[Array, " genes"]) -> Float[Array, " blocks"]:
    """Return the sum over each block, in standard deviations of the sum over as many genes drawn at random."""
    values = values - values.mean()
    sizes = np.bincount(block)
    expected = values.std() * np.sqrt(sizes * (len(values) - sizes) / (len(values) - 1))
    return np.asarray(np.bincount(block, values) / expected)


def _permutation_moments(values: Float[Array, " genes"], sizes: Float[Array, " blocks"]) -> tuple[float, float]:
    """The mean and variance of the statistic; values have mean 0.

    They follow from the mean products of two and of four values without replacement, which depend on the sums of
    squares and of fourth powers alone.
    """
    genes = len(values)
    squares, fourths = (values**2).sum(), (values**4).sum()
    pairs, triples, quadruples = (poch(genes - k + 1, k) for k in (2, 3, 4))  # how many, in order
    aa, ab = squares / genes, -squares / pairs
    aaaa, aaab, aabb = fourths / genes, -fourths / pairs, (squares**2 - fourths) / pairs
    aabc, abcd = (2 * fourths - squares**2) / triples, (3 * squares**2 - 6 * fourths) / quadruples
    two, three, four = (np.array([poch(size - k + 1, k) for size in sizes]) for k in (2, 3, 4))
    second = sizes * aa + two * ab
    fourth = sizes * aaaa + two * (4 * aaab + 3 * aabb) + 6 * three * aabc + four * abcd
    products = (
        np.outer(sizes, sizes) * aabb + (np.outer(two, sizes) + np.outer(sizes, two)) * aabc + np.outer(two, two) * abcd
    )
    np.fill_diagonal(products, fourth)
    mean = (second / sizes).sum()
    return float(mean), float((products / np.outer(sizes, sizes)).sum() - mean**2)
