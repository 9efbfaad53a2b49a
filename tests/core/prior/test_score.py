"""The score by gene lists alone: one plain formula, whatever the order of spots and genes and the depth of a spot."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import roc_auc_score
from stand_ins.carcinoma import (
    LISTS,
    NEGATIVE,
    PITCH_UM,
    POSITIVE,
    SYMBOLS,
    carcinoma_counts,
    carcinoma_section,
    half_tumour,
)

from spacrd_core.arrays import Array
from spacrd_core.cohort.neighbourhood_means import NeighbourhoodMeans
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.cohort.smoothing import BilateralFilter
from spacrd_core.genes.expression import Expression
from spacrd_core.prior.neighbourhoods import Neighbourhoods
from spacrd_core.prior.score import GeneScore, gene_contributions, score_genes
from spacrd_core.prior.section_genes import FILTER_ITERATIONS, SectionGenes


def expression_of(counts: Array, symbols: Sequence[str] = SYMBOLS) -> Expression:
    return Expression.from_counts(sparse.csr_matrix(counts), symbols)


def scored(expression: Expression, xy_um: Array | None = None) -> GeneScore:
    found = score_genes(SectionGenes(expression, lattice() if xy_um is None else xy_um, PITCH_UM), LISTS)
    assert found is not None
    return found


def lattice() -> Array:
    return carcinoma_section().xy_um


def z(values: Array) -> Array:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def standardised(expression: Expression) -> Array:
    """Genes standardised in the section, each spot's mean over genes taken off."""
    genes = z(expression.values.toarray().astype(np.float64))
    return genes - genes.mean(axis=1, keepdims=True)


def around(xy_um: Array) -> Array:
    """The mean over a spot and its eight neighbours, as a matrix."""
    near = np.linalg.norm(xy_um[:, None] - xy_um[None], axis=2) < 1.6 * PITCH_UM
    return near / near.sum(axis=1, keepdims=True)


class Plain(NamedTuple):
    """The score, its raw, unsmoothed form, and the correlation of positive with negative maps, by dense matrices."""

    score: Array
    raw: Array
    correlation: float


def plain(expression: Expression, xy_um: Array) -> Plain:
    genes = standardised(expression)
    means = around(xy_um) @ genes
    maps = {
        name: z(means[:, [expression.symbols.index(gene) for gene in listed]].mean(axis=1))
        for name, listed in (LISTS.positive | LISTS.negative).items()
    }
    contrast = np.mean([maps[name] for name in LISTS.positive], axis=0)
    contrast = contrast - np.mean([maps[name] for name in LISTS.negative], axis=0)
    raw = means @ (means.T @ np.clip(z(contrast), -2, 2))
    spots = Neighbourhoods.of(xy_um, PITCH_UM)
    features = NeighbourhoodMeans.of(genes.astype(np.float32), spots.indices, spots.present).operator()
    smooth = BilateralFilter.fit(xy_um, PITCH_UM, [features], iterations=FILTER_ITERATIONS)
    smoothed = {name: smooth(values) for name, values in maps.items()}
    pairs = [np.corrcoef(smoothed[one], smoothed[two])[0, 1] for one in LISTS.positive for two in LISTS.negative]
    return Plain(z(smooth(raw)), raw / smooth(raw).std(), float(np.mean(pairs)))


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_the_formula_computed_densely(seed: int) -> None:
    expression = expression_of(carcinoma_counts(half_tumour(), seed))
    found, wanted = scored(expression), plain(expression, lattice())
    np.testing.assert_allclose(found.score, wanted.score, atol=1e-5)
    assert found.amount.correlation == pytest.approx(wanted.correlation, abs=1e-5)


def test_it_finds_the_tumour() -> None:
    found = scored(expression_of(carcinoma_counts(half_tumour())))
    assert roc_auc_score(half_tumour(), found.score) > 0.98
    assert found.score.mean() == pytest.approx(0, abs=1e-6)
    assert found.score.std() == pytest.approx(1)


def test_the_order_of_spots_does_not_matter() -> None:
    expression = expression_of(carcinoma_counts(half_tumour()))
    order = np.random.default_rng(1).permutation(len(lattice()))
    shuffled = scored(replace(expression, values=expression.values[order]), lattice()[order])
    np.testing.assert_allclose(shuffled.score, scored(expression).score[order], atol=1e-3)


def test_the_order_of_genes_does_not_matter() -> None:
    counts, order = carcinoma_counts(half_tumour()), np.random.default_rng(1).permutation(len(SYMBOLS))
    shuffled = scored(expression_of(counts[:, order], [SYMBOLS[gene] for gene in order]))
    np.testing.assert_allclose(shuffled.score, scored(expression_of(counts)).score, atol=1e-3)


def test_the_depth_of_a_spot_hardly_matters() -> None:
    counts = carcinoma_counts(half_tumour())
    depth = np.random.default_rng(1).integers(1, 9, len(counts))[:, None]
    deeper = scored(expression_of(counts * depth))
    np.testing.assert_allclose(deeper.score, scored(expression_of(counts)).score, atol=1e-3)


def test_there_is_none_without_a_gene_of_a_positive_list() -> None:
    expression = expression_of(carcinoma_counts(half_tumour()))
    rest = expression.columns_of([name for name in SYMBOLS if name not in POSITIVE])
    without = Expression(
        expression.values[:, rest], expression.totals, tuple(expression.symbols[gene] for gene in rest)
    )
    assert score_genes(SectionGenes(without, lattice(), PITCH_UM), LISTS) is None


def test_positive_genes_alone_give_one() -> None:
    counts = carcinoma_counts(half_tumour())
    kept = [gene for gene, name in enumerate(SYMBOLS) if name not in NEGATIVE]
    found = scored(expression_of(counts[:, kept], [SYMBOLS[gene] for gene in kept]))
    assert roc_auc_score(half_tumour(), found.score) > 0.95
    assert not found.amount.known


def test_contributions_of_genes_sum_to_the_unsmoothed_score_of_the_spots() -> None:
    expression, spots = expression_of(carcinoma_counts(half_tumour())), np.flatnonzero(half_tumour())[::3]
    loadings = scored(expression).loadings
    found = gene_contributions(SectionGenes(expression, lattice(), PITCH_UM), loadings, spots)
    raw = plain(expression, lattice()).raw
    assert found.sum() == pytest.approx(raw[spots].mean(), abs=1e-4)
    assert abs(raw[spots].mean()) > 0.5
    sums = {name: sum(found[expression.columns_of(listed)]) for name, listed in LISTS.positive.items()}
    assert min(sums.values()) > 0


def test_spots_without_tissue_between_them_have_no_structure() -> None:
    counts = carcinoma_counts(half_tumour())
    shuffled = np.random.default_rng(1).permutation(counts)
    assert scored(expression_of(counts)).structure > 0.5
    assert abs(scored(expression_of(shuffled)).structure) < 0.2


@pytest.mark.her2st
def test_it_finds_six_carcinomas_of_the_breast_without_any_label(breasts: list[SectionData]) -> None:
    aucs = {}
    for section in breasts:
        assert section.expression is not None
        found = score_genes(SectionGenes(section.expression, section.xy_um, section.pitch_um), LISTS)
        assert found is not None
        known = section.labels >= 0
        aucs[section.id] = roc_auc_score(section.labels[known], found.score[known])
    assert len(aucs) == 6
    assert np.mean([*aucs.values()]) >= 0.915, aucs
    assert min(aucs.values()) >= 0.80, aucs
