"""Planted gains and losses are found, with their arms; expression programmes without them are not."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse
from stand_ins.aneuploid import GENES, aneuploid_expression, arms_of, clone, epithelium, symbols

from spacrd_core.copy_number.comparison import Comparison, find_copy_number
from spacrd_core.copy_number.genes import MIN_ARM_GENES, PlacedGenes
from spacrd_core.copy_number.permutation import block_z
from spacrd_core.copy_number.pools import GROUPS, Pools
from spacrd_core.copy_number.positions import human_positions
from spacrd_core.copy_number.profile import GeneProfile, explain, log2_ratio
from spacrd_core.copy_number.result import MIN_GENES, UNCLEAR, CopyNumber
from spacrd_core.genes.expression import Expression

PLANTED = {"1q": 2, "8q": 2, "17q": 2, "20q": -1}


def found(expression: Expression, score: np.ndarray | None = None) -> CopyNumber:
    score = epithelium().astype(float) if score is None else score
    return find_copy_number(expression, Comparison.from_score(expression, score))


def with_genes(expression: Expression, kept: np.ndarray) -> Expression:
    names = tuple(expression.symbols[gene] for gene in kept)
    return replace(expression, values=expression.values[:, kept], symbols=names, gene_ids=())


@pytest.fixture(scope="module")
def tumour() -> Expression:
    return aneuploid_expression(PLANTED)


def test_planted_gains_and_losses_are_found_with_their_signs(tumour: Expression) -> None:
    result = found(tumour)
    assert result.verdict == "supported"
    assert {arm.short_name for arm in result.changed_arms} >= {"1q+", "8q+", "17q+"}
    assert len(result.changed_arms) <= len(PLANTED) + 2
    sizes = {arm.arm: arm.log2_ratio for arm in result.arms}
    assert sizes["20q"] < 0
    # Half of the epithelium has four copies for two: log2(1.5), less the share of the genome that is gained.
    assert sizes["8q"] == pytest.approx(0.5, abs=0.2)


def test_the_clone_alone_shows_the_whole_change(tumour: Expression) -> None:
    whole = {arm.arm: arm.log2_ratio for arm in found(tumour, clone().astype(float)).arms}
    half = {arm.arm: arm.log2_ratio for arm in found(tumour).arms}
    assert whole["8q"] > 1.3 * half["8q"]
    assert whole["8q"] == pytest.approx(1, abs=0.25)


@pytest.mark.ci_cases(4)
@pytest.mark.parametrize("seed", range(12))
def test_epithelium_that_differs_in_thousands_of_genes_but_in_no_arm_is_no_evidence(seed: int) -> None:
    result = found(aneuploid_expression({}, seed=seed))
    assert result.z < UNCLEAR
    assert not result.changed_arms
    assert len(result.arms) > 30
    assert len(result.segments) > 30
    for run, following in pairwise(result.segments):
        assert run.arm != following.arm or run.end < following.start


@pytest.mark.parametrize("seed", range(6))
def test_genes_at_shuffled_places_show_nothing(tumour: Expression, seed: int) -> None:
    names = np.random.default_rng(seed).permutation(tumour.symbols)
    assert abs(found(replace(tumour, symbols=tuple(names.tolist()), gene_ids=())).z) < UNCLEAR


def test_the_other_direction_has_the_other_signs(tumour: Expression) -> None:
    there, back = found(tumour), found(tumour, -epithelium().astype(float))
    assert back.z == pytest.approx(there.z, rel=0.05)
    names = {arm.arm: arm.log2_ratio for arm in there.arms}
    assert all(arm.log2_ratio == pytest.approx(-names[arm.arm], abs=0.02) for arm in back.arms)


def test_z_does_not_depend_on_the_order_of_spots_and_genes(tumour: Expression) -> None:
    rng = np.random.default_rng(0)
    spots, genes = rng.permutation(len(tumour.totals)), rng.permutation(len(tumour.symbols))
    mixed = with_genes(tumour, genes)
    mixed = replace(mixed, values=mixed.values[spots], totals=mixed.totals[spots])
    assert found(mixed, epithelium().astype(float)[spots]).z == pytest.approx(found(tumour).z, rel=1e-3)


def test_deeper_tissue_is_not_a_gain() -> None:
    """The epithelium has twice the counts: shares count, not sums."""
    expression = aneuploid_expression({})
    counts = expression.totals * np.where(epithelium(), 2, 1)
    assert found(replace(expression, totals=counts.astype(np.float32))).z < UNCLEAR


def test_long_genes_and_crowded_places_are_explained(tumour: Expression) -> None:
    """Cell types differ in long genes, which lie together: without the regression that is a change of arms."""
    positions = human_positions()
    rows = positions.rows_of(tumour)
    factor = np.where(rows >= 0, (positions.length[rows] / 20_000) ** 0.25 * (positions.nearby[rows] / 20) ** -0.25, 1)
    plain = aneuploid_expression({})
    counts = plain.values.expm1().multiply(plain.totals[:, None] / 1e4).tocsr()
    counts = np.rint(counts.toarray() * np.where(epithelium()[:, None], factor, 1))
    expression = Expression.from_counts(type(plain.values)(counts), plain.symbols)
    assert found(expression).z < UNCLEAR
    comparison = Comparison.from_score(expression, epithelium().astype(float))
    raw = log2_ratio(comparison.pools)[comparison.genes.columns]
    assert block_z(raw, comparison.genes.arm) > UNCLEAR, "without the regression"


def test_the_regression_takes_length_surroundings_and_level_off(tumour: Expression) -> None:
    pools = Pools.from_contrast(tumour, (2.0 * epithelium() - 1).astype(np.float32))
    genes = PlacedGenes.select(tumour, pools)
    length = np.log(human_positions().length[genes.rows])
    values = 0.3 * length - 0.02 * length**2 + np.random.default_rng(0).standard_t(3, len(length)) / 10
    left = values - explain(tumour, genes, values)
    assert abs(np.corrcoef(left, length)[0, 1]) < 0.05
    assert np.corrcoef(values, length)[0, 1] < -0.3


def test_too_few_genes_are_unknown_not_normal(tumour: Expression) -> None:
    rows = human_positions().rows_of(tumour)
    on_three = np.flatnonzero(np.isin(human_positions().arm[rows], ["1q", "8q", "17q"]) & (rows >= 0))
    result = found(with_genes(tumour, on_three))
    assert (result.verdict, result.arms, result.segments) == ("unknown", (), ())
    assert f"{MIN_GENES} on" in result.unknown_reason
    few = np.random.default_rng(0).permutation(len(tumour.symbols))[:280]
    assert found(with_genes(tumour, few)).verdict == "unknown"
    assert found(with_genes(tumour, few[:0])).verdict == "unknown"


def test_a_section_in_which_no_spot_stands_out_is_unknown(tumour: Expression) -> None:
    result = found(tumour, np.ones(len(tumour.totals)))
    assert result.summary == "unknown: no spot is more tumour-like than the others"


def test_weak_counts_lose_power_and_raise_no_alarm() -> None:
    assert found(aneuploid_expression({}, depth=0.1)).z < UNCLEAR
    assert found(aneuploid_expression(PLANTED, depth=0.1)).z < found(aneuploid_expression(PLANTED)).z


def test_pools_sum_counts_by_contrast(tumour: Expression) -> None:
    contrast = np.linspace(-1, 1, len(tumour.totals)).astype(np.float32)
    pools = Pools.from_contrast(tumour, contrast)
    counts = tumour.values.expm1().toarray() * tumour.totals[:, None] / 1e4
    above = np.maximum(contrast, 0)
    assert np.allclose(counts, np.rint(counts), atol=1e-2), "the counts themselves"
    np.testing.assert_allclose(pools.tumour_like.counts.sum(axis=1), above @ counts, rtol=1e-4)
    counted = above @ counts > 0
    precise = (above @ counts)[counted] ** 2 / (above**2 @ counts)[counted]
    np.testing.assert_allclose(pools.tumour_like.effective[counted], precise, rtol=1e-3)
    assert not pools.tumour_like.effective[~counted].any()
    left_out = sum(2.0 ** pools.rest.log2_share(group) for group in range(GROUPS)) / GROUPS
    assert np.nanmax(np.abs(left_out - 2.0 ** pools.rest.log2_share())) < 1e-3


def test_blocks_are_arms_and_runs_of_neighbours(tumour: Expression) -> None:
    genes = PlacedGenes.select(tumour, Pools.from_contrast(tumour, (2.0 * epithelium() - 1).astype(np.float32)))
    arms = human_positions().arm[genes.rows]
    assert genes.arm_names == [arms[genes.arm == number][0] for number in range(genes.arm.max() + 1)]
    assert np.bincount(genes.arm).min() >= MIN_ARM_GENES
    assert (np.diff(genes.rows) > 0).all()
    for run in range(genes.run.max() + 1):
        assert len(set(arms[genes.run == run])) == 1
        assert 20 <= (genes.run == run).sum() <= 150
    names = symbols()
    assert len(genes.rows) <= sum(arm != "" for arm in arms_of(names)) <= GENES + 200


@pytest.mark.slow
def test_errors_of_arms_are_those_of_drawing_the_spots_anew(tumour: Expression) -> None:
    rng, spots, score = np.random.default_rng(0), len(tumour.totals), epithelium().astype(float)
    drawn = []
    for _ in range(25):
        kept = rng.integers(0, spots, spots)
        sample = replace(tumour, values=tumour.values[kept], totals=tumour.totals[kept])
        drawn.append({arm.arm: arm.log2_ratio for arm in found(sample, score[kept]).arms})
    ratios = [
        arm.error / np.std([draw[arm.arm] for draw in drawn])
        for arm in found(tumour).arms
        if all(arm.arm in draw for draw in drawn)
    ]
    assert 0.75 < np.median(ratios) < 1.35


def test_z_is_the_smaller_of_that_by_arms_and_that_by_runs() -> None:
    larger = set()
    for copies in ({"1q": 2, "8q": 2}, {}):
        expression = aneuploid_expression(copies, seed=3)
        comparison = Comparison.from_score(expression, epithelium().astype(float))
        profile = GeneProfile.fit(expression, comparison.pools, comparison.genes)
        weighted = profile.weights * profile.deviations(log2_ratio(comparison.pools))
        both = block_z(weighted, comparison.genes.arm), block_z(weighted, comparison.genes.run)
        assert find_copy_number(expression, comparison).z == min(both)
        larger.add(both[0] > both[1])
    assert larger == {True, False}, "either can be the smaller"


def test_arms_that_rest_on_a_few_spots_are_not_called() -> None:
    """Three spots with a hundred times the counts carry all of the gain."""
    expression = aneuploid_expression(PLANTED)
    plain = aneuploid_expression({})
    heavy = np.flatnonzero(clone())[:3]
    rows = [expression.values[spot] if spot in heavy else plain.values[spot] for spot in range(len(plain.totals))]
    totals = plain.totals.copy()
    totals[heavy] *= 100
    mixed = replace(plain, values=sparse.csr_matrix(sparse.vstack(rows)), totals=totals)
    sizes = {arm.arm: arm for arm in found(mixed).arms}
    assert sizes["8q"].log2_ratio > 0.3
    assert sizes["8q"].log2_ratio < 4 * sizes["8q"].error
    assert not sizes["8q"].changed


def test_a_few_extreme_genes_do_not_make_an_arm(tumour: Expression) -> None:
    comparison = Comparison.from_score(tumour, epithelium().astype(float))
    profile = GeneProfile.fit(tumour, comparison.pools, comparison.genes)
    ratio = log2_ratio(comparison.pools)
    residual = ratio[comparison.genes.columns] - profile.explained
    spread = 1.4826 * np.median(np.abs(residual - np.median(residual)))
    assert profile.limit == pytest.approx(2.5 * spread, rel=1e-4)
    ratio[comparison.genes.columns[:5]] += 1000.0
    assert np.abs(profile.deviations(ratio)).max() < 3 * profile.limit


def test_genes_need_counts_in_both_pools(tumour: Expression) -> None:
    pools = Pools.from_contrast(tumour, (2.0 * epithelium() - 1).astype(np.float32))
    kept = PlacedGenes.select(tumour, pools).columns
    both = pools.tumour_like.effective + pools.rest.effective
    assert both[kept].min() >= 20
    assert min(pools.tumour_like.effective[kept].min(), pools.rest.effective[kept].min()) >= 3


def test_extreme_spots_count_no_more_than_two_standard_deviations(tumour: Expression) -> None:
    score = epithelium().astype(float)
    score[0] = 1e6
    contrast = Comparison.from_score(tumour, score).contrast
    assert contrast.max() == 2.0
