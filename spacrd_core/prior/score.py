"""How tumour-like the genes of every spot are, by gene lists alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.prior.standardise import correlation, standardise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float, Int
    from scipy.sparse.linalg import LinearOperator

    from spacrd_core.arrays import Array
    from spacrd_core.genes.expression import Expression
    from spacrd_core.prior.lists import GeneLists
    from spacrd_core.prior.section_genes import SectionGenes

MAX_DEVIATION = 2.0  # standard deviations; a few extreme spots must not choose the genes

Columns = dict[str, "Int[Array, ' measured']"]


@dataclass(frozen=True, eq=False)
class GeneScore:
    """The score of a section's spots by gene lists.

    Attributes
    ----------
    score
        How tumour-like each spot is: mean 0, standard deviation 1.
    loadings
        Weight of every gene, before averaging over like tissue.
    amount
        What goes with the amount of tumour.
    structure
        The correlation of spots with their neighbours in what the lists say of each spot alone.
    """

    score: Float[Array, " spots"]
    loadings: Float[Array, " genes"]
    amount: TumourAmount
    structure: float


def score_genes(genes: SectionGenes, lists: GeneLists) -> GeneScore | None:
    """Return the gene score of a section; None if no gene of a positive list is measured.

    All measured genes are read, as neighbourhood means. The positive lists less the negative lists give a first score.
    One step of partial least squares (Wold 1966) follows: the genes of the section that go with the first score are
    weighted by how much they do. The result is averaged over like tissue.
    """
    columns = list_columns(genes.expression, lists)
    if not any(len(columns[name]) for name in lists.positive):
        return None
    means = genes.means
    maps = _list_maps(means, columns)
    deviation = np.clip(standardise(_contrast(maps, lists)), -MAX_DEVIATION, MAX_DEVIATION).astype(np.float32)
    loadings = means.T @ deviation
    raw = means @ loadings
    smooth = genes.like_tissue
    smoothed = smooth(raw)
    scale = smoothed.std() or 1.0
    return GeneScore(
        score=standardise(smoothed),
        loadings=loadings / scale,
        amount=_amount(genes.expression, columns, {name: smooth(values) for name, values in maps.items()}, lists),
        structure=genes.neighbourhoods.structure(_contrast(_list_maps(genes.standardised.operator(), columns), lists)),
    )


def gene_contributions(
    genes: SectionGenes, loadings: Float[Array, " genes"], spots: Int[Array, " selected"]
) -> Float[Array, " genes"]:
    """Return each gene's mean contribution to the score of some spots, before averaging over like tissue."""
    return np.asarray(genes.averaged.average(spots) * loadings)


def list_columns(expression: Expression, lists: GeneLists) -> Columns:
    """Return the columns of the measured genes of every list."""
    found = {name: expression.columns_of(genes) for name, genes in (lists.positive | lists.negative).items()}
    return {name: columns[columns >= 0] for name, columns in found.items()}


def sampling_error(values: Float[Array, " measured"], listed: int, *, spread_of_one: float = np.inf) -> float:
    """Return the standard error of a list's mean if the measured genes are a random part of its genes.

    ``spread_of_one`` is the standard deviation that is assumed where one gene is measured.
    """
    measured = len(values)
    if measured >= listed:
        return 0.0
    spread = values.std(ddof=1) if measured > 1 else spread_of_one
    return float(spread * np.sqrt((1 - measured / listed) / measured)) if measured else np.inf


def _list_maps(genes: LinearOperator, columns: Columns) -> dict[str, Float[Array, " spots"]]:
    """The standardised mean of every list that has measured genes, for all spots."""
    measured = {name: genes_of for name, genes_of in columns.items() if len(genes_of)}
    weights = np.zeros((genes.shape[1], len(measured)), dtype=np.float32)
    for index, genes_of in enumerate(measured.values()):
        weights[genes_of, index] = 1 / len(genes_of)
    return dict(zip(measured, map(standardise, (genes @ weights).T), strict=True))


def _contrast(maps: Mapping[str, Float[Array, " spots"]], lists: GeneLists) -> Float[Array, " spots"]:
    """The mean of the positive lists less that of the negative lists."""
    negative = [maps[name] for name in lists.negative if name in maps]
    positive = np.mean([maps[name] for name in lists.positive if name in maps], axis=0)
    return np.asarray(positive - np.mean(negative, axis=0) if negative else positive)


def _amount(
    expression: Expression, columns: Columns, maps: Mapping[str, Float[Array, " spots"]], lists: GeneLists
) -> TumourAmount:
    """The facts that go with the amount of tumour; unknown if no negative list is measured."""
    positive, negative = ([name for name in names if name in maps] for names in (lists.positive, lists.negative))
    if not negative:
        return TumourAmount()
    means = expression.moments.mean
    of_list = {name: means[columns[name]] for name in (*positive, *negative)}
    sizes = {name: len(genes) for name, genes in (lists.positive | lists.negative).items()}
    errors = [
        sampling_error(of_list[name], sizes[name], spread_of_one=_spread([of_list[name] for name in side])) / len(side)
        for side in (positive, negative)
        for name in side
    ]
    pairs = [correlation(maps[first], maps[second]) for first in positive for second in negative]
    difference = np.mean([of_list[n].mean() for n in positive]) - np.mean([of_list[n].mean() for n in negative])
    return TumourAmount(float(difference), float(np.linalg.norm(errors)), float(np.mean(pairs)))


def _spread(lists: Sequence[Float[Array, " measured"]]) -> float:
    """The standard deviation of genes over some lists, which stands for that of a list with one measured gene.

    It is infinite where no list has more: then nothing tells it.
    """
    several = any(len(values) > 1 for values in lists)
    return float(np.concatenate(lists).std(ddof=1)) if several else np.inf
