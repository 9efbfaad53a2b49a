"""Panels are chosen by variance within sections, and sections are aligned to them by id, symbol or current name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.errors import TrainingError
from spacrd_core.genes.expression import MISSING, Expression
from spacrd_core.genes.names import current_symbol
from spacrd_core.genes.panel import most_variable, panel_columns, panel_ids
from spacrd_core.genes.species import Species


def expression(counts: list[list[int]], symbols: list[str]) -> Expression:
    return Expression.from_counts(sparse.csr_matrix(np.array(counts)), symbols)


def align(section: Expression, panel: Sequence[str], gene_ids: Sequence[str] = ()) -> tuple[Any, Any]:
    """Return the aligned expression, dense and with zeros for genes that are not measured, and the mask of genes."""
    columns = panel_columns(section, panel, gene_ids)
    measured = columns != MISSING
    aligned = np.zeros((section.values.shape[0], len(panel)), dtype=np.float32)
    aligned[:, measured] = section.values.toarray()[:, columns[measured]]
    return aligned, measured


def test_the_panel_holds_what_varies_within_sections_not_between_them() -> None:
    one = expression([[10, 1, 50], [10, 20, 50]], ["FLAT", "VARIES", "REST"])
    other = expression([[90, 1, 50], [90, 20, 50]], ["FLAT", "VARIES", "REST"])
    assert most_variable([one, other])[0] == "VARIES"


def test_the_panel_holds_only_genes_that_every_section_measures() -> None:
    one, other = expression([[1, 9]], ["A", "B"]), expression([[1, 9]], ["B", "C"])
    assert most_variable([one, other]) == ["B"]


def test_sections_without_a_common_gene_are_refused() -> None:
    with pytest.raises(TrainingError, match="no gene in common"):
        most_variable([expression([[1]], ["A"]), expression([[1]], ["ENSG1"])])


def test_alignment_follows_the_panel_and_marks_what_is_missing() -> None:
    values, measured = align(expression([[1, 3]], ["A", "B"]), ("B", "X", "A"))
    assert measured.tolist() == [True, False, True]
    assert values[0] == pytest.approx([np.log1p(7500), 0, np.log1p(2500)], rel=1e-6)


def test_a_section_is_aligned_by_id_then_symbol_then_current_symbol() -> None:
    counts = sparse.csr_matrix(np.array([[1, 2, 3, 4]]))
    section = Expression.from_counts(counts, ["CLONE.9", "BBB", "CCC", "TENT5A"], ["ENSG00000999999", "", "", ""])
    panel, ids = ("CLONE.7", "BBB", "FAM46A", "NONE"), ("ENSG00000999999", "ENSG00000888888", "", "")
    values, measured = align(section, panel, ids)
    assert measured.tolist() == [True, True, True, False]
    assert values[0] == pytest.approx([np.log1p(1000), np.log1p(2000), np.log1p(4000), 0], rel=1e-6)


def test_an_id_takes_precedence_over_a_symbol_of_another_gene() -> None:
    counts = sparse.csr_matrix(np.array([[1, 3]]))
    section = Expression.from_counts(counts, ["NEW.1", "OLD.1"], ["ENSG00000999999", "ENSG00000888888"])
    assert align(section, ["OLD.1"], ["ENSG00000999999"])[0][0, 0] == pytest.approx(np.log1p(2500), rel=1e-6)


def test_a_panel_keeps_the_ids_that_any_section_has() -> None:
    named = expression([[1, 1]], ["AAA", "BBB"])
    with_ids = Expression.from_counts(sparse.csr_matrix(np.array([[1, 1]])), ["AAA", "BBB"], ["ENSG00000999999", ""])
    assert panel_ids([named, with_ids], ("BBB", "AAA")) == ("", "ENSG00000999999")


def test_mouse_sections_by_id_alone_align_to_a_panel_with_ids() -> None:
    ids = [f"ENSMUSG{number:011d}" for number in range(10)]
    by_id = Expression.from_counts(sparse.csr_matrix(np.arange(1, 11)[None]), ids)
    values, measured = align(by_id, ("Gapdh",), (ids[3],))
    assert measured.all()
    assert values[0, 0] == pytest.approx(np.log1p(4 / 55 * 1e4), rel=1e-6)


def test_empty_panels_and_sections_without_genes_are_aligned() -> None:
    values, measured = align(expression([[1, 3]], ["AAA", "BBB"]), ())
    assert (values.shape, measured.shape) == ((1, 0), (0,))
    values, measured = align(expression([[]], []), ("AAA",))
    assert (values.tolist(), measured.tolist()) == ([[0.0]], [False])


NAMES = ["FAM46A", "TENT5A", "HER2", "ERBB2", "3-Mar", "MARCHF3", "Gapdh", *(f"GENE{number}" for number in range(20))]
IDS = ["", *(f"ENSG{number:011d}" for number in range(12)), "ENSG00000141736"]


def plain_column(section: Expression, symbol: str, gene_id: str) -> int | None:
    """Return the column of a gene by the definition: its id, or else its symbol, or else its current symbol."""
    columns = {name: column for names in (section.gene_ids, section.symbols) for column, name in enumerate(names)}
    current = [current_symbol(symbol)] if section.species.may_be_human else []
    return next((columns[name] for name in (gene_id, symbol, *current) if name and name in columns), None)


@pytest.mark.parametrize("species", [Species(), Species("human", 1.0), Species("mouse", 1.0)], ids=lambda s: s.name)
@pytest.mark.parametrize("seed", range(20))
def test_alignment_equals_its_plain_definition_on_random_panels(species: Species, seed: int) -> None:
    rng = np.random.default_rng(seed)
    symbols = tuple(rng.choice([*NAMES, *IDS[1:]], size=15, replace=False).tolist())
    gene_ids = tuple(rng.choice(IDS, size=15).tolist()) if seed % 4 else ()
    section = Expression(
        sparse.csr_matrix(rng.random((3, 15))), np.ones(3, dtype=np.float32), symbols, gene_ids, species
    )
    panel = rng.choice([*NAMES, *IDS], size=30).tolist()
    panel_gene_ids = rng.choice(IDS, size=30).tolist() if seed % 3 else []
    columns = [plain_column(section, *gene) for gene in zip(panel, panel_gene_ids or [""] * 30, strict=True)]
    found = panel_columns(section, panel, panel_gene_ids)
    assert found.tolist() == [MISSING if column is None else column for column in columns]
