import numpy as np
import pytest
from scipy import sparse

from spacrd_core.genes.expression import MISSING, Expression, renormalise
from spacrd_core.genes.panel import panel_columns


def expression(counts: list[list[int]], symbols: list[str]) -> Expression:
    return Expression.from_counts(sparse.csr_matrix(np.array(counts)), symbols)


def test_counts_become_log1p_of_counts_per_ten_thousand() -> None:
    values = expression([[1, 3], [0, 0]], ["A", "B"]).values.toarray()
    assert values[0] == pytest.approx(np.log1p([2500, 7500]), rel=1e-6)
    assert not values[1].any(), "an empty spot stays empty"


def test_expression_of_some_genes_is_as_if_no_other_gene_had_been_counted() -> None:
    counts = [[1, 3, 6], [0, 0, 5], [2, 0, 0]]
    some = renormalise(expression(counts, ["A", "B", "C"]).values[:, :2])
    alone = expression([row[:2] for row in counts], ["A", "B"]).values
    assert some.dtype == np.float32
    assert some.toarray() == pytest.approx(alone.toarray(), rel=1e-6)
    assert not some.toarray()[1].any(), "a spot without these genes stays empty"


def test_genes_of_one_symbol_are_summed_before_the_logarithm() -> None:
    twice = expression([[1, 2, 1]], ["A", "B", "A"])
    assert twice.symbols == ("A", "B")
    assert twice.values.toarray()[0] == pytest.approx(np.log1p([5000, 5000]), rel=1e-6)


HUMAN = ["GAPDH", "ERBB2", "MKI67", "EPCAM", "KRT8", "CD3D", "COL1A1", "RPL3", "KIT", "CD274"]


def test_counts_of_one_gene_under_two_names_are_summed() -> None:
    section = expression([[1, 2, 1]], ["FAM46A", "GAPDH", "TENT5A"])
    assert section.symbols == ("GAPDH", "TENT5A")
    assert section.values.toarray()[0] == pytest.approx(np.log1p([5000, 5000]), rel=1e-6)


def test_ensembl_ids_in_place_of_symbols_become_symbols_and_are_kept() -> None:
    section = expression([[1, 3]], ["ENSG00000141736.14", "ENSG00000999999"])
    assert section.symbols == ("ENSG00000999999", "ERBB2")
    assert section.gene_ids == ("ENSG00000999999", "ENSG00000141736")


def test_mouse_genes_are_not_read_as_human_ones() -> None:
    mouse = expression([[1] * 10], [symbol.capitalize() for symbol in HUMAN])
    assert mouse.species.name == "mouse"
    assert "Gapdh" in mouse.symbols
    assert (panel_columns(mouse, HUMAN, ()) == MISSING).all()


def test_a_mixture_of_species_keeps_the_mouse_genes_apart() -> None:
    both = expression([[1] * 20], [*HUMAN, *(symbol.capitalize() for symbol in HUMAN)])
    assert len(both.symbols) == 20


def test_a_part_of_the_spots_has_the_same_genes_in_the_same_columns() -> None:
    whole = expression([[1, 2], [3, 4], [5, 0]], ["B", "A"])
    part = whole.select_spots(np.array([True, False, True]))
    assert part.columns_of(["B", "A", "X"]).tolist() == whole.columns_of(["B", "A", "X"]).tolist() == [1, 0, MISSING]
    assert part.moments.mean == pytest.approx(whole.values[[0, 2]].toarray().mean(axis=0))
