from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.errors import TrainingError
from spacrd_core.genes.expression import Expression
from spacrd_core.genes.panel import align, choose_panel, coverage, panel_ids


def expression(counts: list[list[int]], symbols: list[str]) -> Expression:
    return Expression.of_counts(sparse.csr_matrix(np.array(counts)), symbols)


def test_counts_become_log1p_of_counts_per_ten_thousand() -> None:
    values = expression([[1, 3], [0, 0]], ["A", "B"]).values.toarray()
    assert values[0] == pytest.approx(np.log1p([2500, 7500]), rel=1e-6)
    assert not values[1].any(), "an empty spot stays empty"


def test_genes_of_one_symbol_are_summed_before_the_logarithm() -> None:
    twice = expression([[1, 2, 1]], ["A", "B", "A"])
    assert twice.symbols == ("A", "B")
    assert twice.values.toarray()[0] == pytest.approx(np.log1p([5000, 5000]), rel=1e-6)


def test_the_panel_holds_what_varies_within_sections_not_between_them() -> None:
    one = expression([[10, 1, 50], [10, 20, 50]], ["FLAT", "VARIES", "REST"])
    other = expression([[90, 1, 50], [90, 20, 50]], ["FLAT", "VARIES", "REST"])
    assert choose_panel([one, other], 1) == ("VARIES",)


def test_the_panel_holds_only_genes_that_every_section_measures() -> None:
    one, other = expression([[1, 9]], ["A", "B"]), expression([[1, 9]], ["B", "C"])
    assert choose_panel([one, other], 10) == ("B",)


def test_sections_without_a_common_gene_are_refused() -> None:
    with pytest.raises(TrainingError, match="share no gene"):
        choose_panel([expression([[1]], ["A"]), expression([[1]], ["ENSG1"])], 10)


def test_alignment_follows_the_panel_and_marks_what_is_missing() -> None:
    values, measured = align(expression([[1, 3]], ["A", "B"]), ("B", "X", "A"))
    assert measured.tolist() == [True, False, True]
    assert values[0] == pytest.approx([np.log1p(7500), 0, np.log1p(2500)], rel=1e-6)


HUMAN = ["GAPDH", "ERBB2", "MKI67", "EPCAM", "KRT8", "CD3D", "COL1A1", "RPL3", "KIT", "CD274"]


def test_genes_of_one_gene_by_two_of_its_names_are_summed() -> None:
    found = expression([[1, 2, 1]], ["FAM46A", "GAPDH", "TENT5A"])
    assert found.symbols == ("GAPDH", "TENT5A")
    assert found.values.toarray()[0] == pytest.approx(np.log1p([5000, 5000]), rel=1e-6)


def test_ensembl_ids_in_place_of_symbols_become_symbols_and_are_kept() -> None:
    found = expression([[1, 3]], ["ENSG00000141736.14", "ENSG00000999999"])
    assert found.symbols == ("ENSG00000999999", "ERBB2")
    assert found.gene_ids == ("ENSG00000999999", "ENSG00000141736")


def test_mouse_genes_are_not_read_as_human_ones() -> None:
    mouse = expression([[1] * 10], [symbol.capitalize() for symbol in HUMAN])
    assert mouse.species.name == "mouse"
    assert "Gapdh" in mouse.symbols
    assert not align(mouse, HUMAN)[1].any()


def test_a_mixture_of_species_keeps_the_mouse_genes_apart() -> None:
    both = expression([[1] * 20], [*HUMAN, *(symbol.capitalize() for symbol in HUMAN)])
    assert len(both.symbols) == 20


def test_a_target_is_aligned_by_id_then_symbol_then_what_the_symbol_became() -> None:
    counts = sparse.csr_matrix(np.array([[1, 2, 3, 4]]))
    section = Expression.of_counts(counts, ["CLONE.9", "BBB", "CCC", "TENT5A"], ["ENSG00000999999", "", "", ""])
    panel, ids = ("CLONE.7", "BBB", "FAM46A", "NONE"), ("ENSG00000999999", "ENSG00000888888", "", "")
    values, measured = align(section, panel, ids)
    assert measured.tolist() == [True, True, True, False]
    assert values[0] == pytest.approx([np.log1p(1000), np.log1p(2000), np.log1p(4000), 0], rel=1e-6)


def test_an_id_tells_more_than_a_symbol_when_they_point_to_different_genes() -> None:
    counts = sparse.csr_matrix(np.array([[1, 3]]))
    section = Expression.of_counts(counts, ["NEW.1", "OLD.1"], ["ENSG00000999999", "ENSG00000888888"])
    assert align(section, ["OLD.1"], ["ENSG00000999999"])[0][0, 0] == pytest.approx(np.log1p(2500), rel=1e-6)


def test_a_panel_keeps_the_ids_that_some_section_knows() -> None:
    named = expression([[1, 1]], ["AAA", "BBB"])
    with_ids = Expression.of_counts(sparse.csr_matrix(np.array([[1, 1]])), ["AAA", "BBB"], ["ENSG00000999999", ""])
    assert panel_ids([named, with_ids], ("BBB", "AAA")) == ("", "ENSG00000999999")


def test_mouse_sections_by_id_alone_align_to_a_panel_with_ids() -> None:
    ids = [f"ENSMUSG{number:011d}" for number in range(10)]
    by_id = Expression.of_counts(sparse.csr_matrix(np.arange(1, 11)[None]), ids)
    values, measured = align(by_id, ("Gapdh",), (ids[3],))
    assert measured.all()
    assert values[0, 0] == pytest.approx(np.log1p(4 / 55 * 1e4), rel=1e-6)


def test_coverage_counts_what_a_section_measures_and_names_what_it_lacks() -> None:
    found = coverage(expression([[1, 3]], ["AAA", "BBB"]), ("BBB", "XXX", "AAA", "YYY"))
    assert (found.wanted, found.measured, found.missing, found.share) == (4, 2, ("XXX", "YYY"), 0.5)
    assert coverage(expression([[1]], ["AAA"]), ()).share == 0
