from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.errors import TrainingError
from spacrd_core.genes import Expression, align, choose_panel


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
