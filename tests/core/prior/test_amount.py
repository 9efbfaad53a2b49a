"""What goes with the amount of tumour, by its definition."""

import numpy as np
import pytest
from scipy import sparse
from stand_ins.carcinoma import LISTS, NEGATIVE, PITCH_UM, SYMBOLS, carcinoma_counts, carcinoma_section, half_tumour

from spacrd_core.arrays import Array
from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression, renormalise
from spacrd_core.prior.score import score_genes
from spacrd_core.prior.section_genes import SectionGenes

EVERY = carcinoma_counts(half_tumour())


def amount_of(counts: Array = EVERY, leave_out: tuple[str, ...] = ()) -> TumourAmount:
    kept = [gene for gene, name in enumerate(SYMBOLS) if name not in leave_out]
    expression = Expression.from_counts(sparse.csr_matrix(counts[:, kept]), [SYMBOLS[gene] for gene in kept])
    found = score_genes(SectionGenes(expression, carcinoma_section().xy_um, PITCH_UM), LISTS)
    assert found is not None
    return found.amount


def some_of(every: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(np.random.default_rng(0).permutation(every)[:count])


def test_expression_is_that_of_the_positive_lists_less_that_of_the_negative_ones() -> None:
    logs = np.log1p(1e4 * EVERY / EVERY.sum(axis=1, keepdims=True)).mean(axis=0)
    positive, negative = (
        np.mean([logs[[SYMBOLS.index(gene) for gene in listed]].mean() for listed in side.values()])
        for side in (LISTS.positive, LISTS.negative)
    )
    found = amount_of()
    assert found.expression == pytest.approx(positive - negative, abs=1e-5)
    assert found.expression_error == 0.0


def test_both_facts_rise_and_fall_with_the_share_of_tumour() -> None:
    shares = [np.arange(len(EVERY)) < round(share * len(EVERY)) for share in (0.0, 0.3, 0.7, 1.0)]
    found = [amount_of(carcinoma_counts(tumour)) for tumour in shares]
    levels = [amount.expression for amount in found]
    assert levels == sorted(levels)
    assert levels[-1] - levels[0] > 1
    assert max(found[1].correlation, found[2].correlation) < -0.5, "where tumour is, the maps part"
    assert min(found[0].correlation, found[3].correlation) > -0.3


def test_nothing_is_known_without_negative_lists() -> None:
    found = amount_of(leave_out=NEGATIVE)
    assert not found.known
    assert np.isnan([found.expression, found.expression_error, found.correlation]).all()


def test_one_negative_list_is_enough_if_its_genes_are_measured() -> None:
    others = tuple(gene for name, listed in LISTS.negative.items() if name != "stroma" for gene in listed)
    assert amount_of(leave_out=others).known


def test_the_error_grows_as_genes_are_left_out() -> None:
    errors = [amount_of(leave_out=some_of(NEGATIVE, count)).expression_error for count in (0, 15, 30, 50)]
    assert errors[0] == 0
    assert errors == sorted(set(errors))


def test_the_error_is_that_of_a_mean_of_some_genes_of_a_list() -> None:
    fat = LISTS.negative["fat"]
    kept = [gene for gene, name in enumerate(SYMBOLS) if name not in fat[4:]]
    logs = np.log1p(1e4 * EVERY[:, kept] / EVERY[:, kept].sum(axis=1, keepdims=True)).mean(axis=0)
    measured = logs[[kept.index(SYMBOLS.index(gene)) for gene in fat[:4]]]
    error = measured.std(ddof=1) * np.sqrt((1 - 4 / len(fat)) / 4)
    assert amount_of(leave_out=fat[4:]).expression_error == pytest.approx(error / len(LISTS.negative), rel=1e-4)


def test_a_list_of_which_one_gene_is_measured_has_the_spread_of_the_genes_of_its_side() -> None:
    one, two = (amount_of(leave_out=LISTS.negative["fat"][count:]) for count in (1, 2))
    assert one.known
    assert one.expression_error > two.expression_error > 0


def test_one_measured_gene_of_every_list_leaves_the_amount_unknown() -> None:
    rest = tuple(gene for genes in LISTS.negative.values() for gene in genes[1:])
    assert not amount_of(leave_out=rest).known


def cut(section: SectionData, share: float, seed: int) -> TumourAmount:
    """What is known with a random share of the section's genes, as if no other had been counted."""
    expression = section.expression
    assert expression is not None
    genes = len(expression.symbols)
    kept = np.sort(np.random.default_rng(seed).choice(genes, round(share * genes), replace=False))
    symbols = tuple(expression.symbols[gene] for gene in kept)
    part = Expression(renormalise(expression.values[:, kept]), expression.totals, symbols)
    found = score_genes(SectionGenes(part, section.xy_um, section.pitch_um), LISTS)
    assert found is not None
    return found.amount


@pytest.mark.slow
@pytest.mark.her2st
def test_the_error_is_as_large_as_what_leaving_genes_out_changes(breasts: list[SectionData]) -> None:
    distances = []
    for section in breasts:
        full = cut(section, 1.0, 0).expression
        parts = [cut(section, share, seed) for share in (0.8, 0.5) for seed in range(3)]
        distances += [abs(part.expression - full) / part.expression_error for part in parts]
    assert 0.3 < np.median(distances) < 1.3, "0.67 if errors were normal and exact"
