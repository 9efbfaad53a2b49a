"""Whether a section has epithelium: of real tissues, with some of the genes left out, and with planted shares."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from stand_ins.carcinoma import EPITHELIAL, LISTS, SYMBOLS

from spacrd_core.cohort.evidence import Epithelium
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression
from spacrd_core.prior.gate import find_epithelium

UPKEEP = LISTS.positive[LISTS.upkeep]
SPOTS, DRAWS = 30, 8


def planted(shares: dict[str, float], left_out: Iterable[str] = ()) -> Epithelium:
    """The answer for a section in which every gene not named has 10 counts a spot."""
    kept = [name for name in SYMBOLS if name not in set(left_out)]
    counts = np.array([[10.0 * shares.get(name, 1.0) for name in kept]] * SPOTS)
    return find_epithelium(Expression.from_counts(sparse.csr_matrix(counts), kept), LISTS)


def with_genes(section: SectionData, share: float, seed: int) -> Expression:
    """The expression of a random share of a section's genes."""
    expression = section.expression
    assert expression is not None
    genes = len(expression.symbols)
    kept = np.sort(np.random.default_rng(seed).choice(genes, round(share * genes), replace=False))
    symbols = tuple(expression.symbols[gene] for gene in kept)
    return replace(expression, values=expression.values[:, kept], symbols=symbols, gene_ids=())


def answers(sections: Iterable[SectionData], share: float = 1.0) -> list[str]:
    return [
        find_epithelium(with_genes(section, share, seed), LISTS).answer
        for section in sections
        for seed in range(DRAWS if share < 1 else 1)
    ]


@pytest.mark.parametrize(("share", "answer"), [(1.0, "present"), (0.6, "present"), (0.4, "none"), (0.0, "none")])
def test_epithelium_is_present_from_half_the_share_of_the_genes_of_upkeep(share: float, answer: str) -> None:
    found = planted(dict.fromkeys(EPITHELIAL, share))
    assert found.answer == answer
    assert (found.measured, found.listed) == (len(EPITHELIAL), len(EPITHELIAL))
    assert found.error == 0.0
    assert share == 0 or found.log2_ratio == pytest.approx(np.log2(share), abs=1e-4)


@pytest.mark.parametrize("listed", [EPITHELIAL, UPKEEP], ids=["epithelium", "upkeep"])
def test_with_fewer_than_three_genes_measured_nothing_is_known(listed: tuple[str, ...]) -> None:
    assert planted({}, left_out=listed[2:]).answer == "unknown"
    assert planted({}, left_out=listed[3:]).answer == "present"


def test_the_error_is_that_of_the_epithelial_genes_alone() -> None:
    shares = dict(zip(EPITHELIAL, np.linspace(0.5, 1.5, len(EPITHELIAL)), strict=True))
    few = planted(shares, left_out=EPITHELIAL[::2])
    roots = np.sqrt([shares[name] for name in EPITHELIAL[1::2]])
    relative = roots.std(ddof=1) * np.sqrt((1 - len(roots) / len(EPITHELIAL)) / len(roots)) / roots.mean()
    assert few.error == pytest.approx(2 * relative / np.log(2), rel=1e-3)
    assert planted(shares, left_out=UPKEEP[::2]).error == 0.0


def test_a_section_without_any_count_of_upkeep_is_unknown() -> None:
    assert planted(dict.fromkeys(UPKEEP, 0.0)).answer == "unknown"


def test_one_gene_does_not_decide() -> None:
    weak = dict.fromkeys(EPITHELIAL, 0.02)
    strong = weak | {"KRT8": 15.0}
    assert np.mean([*strong.values()]) > 1, "the mean share is that of upkeep"
    assert planted(strong).answer == "none"


def test_genes_that_do_not_agree_leave_it_open_if_others_are_not_measured() -> None:
    some = EPITHELIAL[:4]
    shares = dict(zip(some, (2.0, 1.0, 0.05, 0.05), strict=True))
    assert planted(shares, left_out=EPITHELIAL[4:]).answer == "unknown"
    assert planted(dict.fromkeys(some, 1.0), left_out=EPITHELIAL[4:]).answer == "present"


@pytest.mark.slow
@pytest.mark.her2st
def test_carcinomas_have_epithelium_and_hearts_have_none(
    breasts: list[SectionData], colon: SectionData, hearts: list[SectionData]
) -> None:
    assert answers([*breasts, colon]) == ["present"] * 7
    assert answers(hearts) == ["none"] * 4


@pytest.mark.slow
@pytest.mark.her2st
def test_no_carcinoma_is_said_to_have_none_with_four_fifths_of_the_genes(breasts: list[SectionData]) -> None:
    found = answers(breasts, 0.8)
    assert len(found) == 6 * DRAWS
    assert "none" not in found
    assert found.count("present") > len(found) / 2


@pytest.mark.ci_cases(1)
@pytest.mark.her2st
@pytest.mark.parametrize("share", [0.9, 0.8, 0.6, 0.45, 0.3])
def test_hearts_are_rarely_said_to_have_epithelium_with_some_of_the_genes(
    hearts: list[SectionData], share: float
) -> None:
    found = answers(hearts, share)
    assert found.count("present") <= len(found) / 10, f"{share:.0%} measured: {found}"
