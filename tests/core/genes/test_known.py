"""A section whose gene names are no names of genes is noticed before it trains a detector."""

import pytest

from spacrd_core.errors import TrainingError
from spacrd_core.genes.known import count_known, describe_unknown, require_known_genes

UNKNOWN = [f"row{number}" for number in range(95)]


@pytest.mark.parametrize(
    "name",
    [
        *("ERBB2", "HER2", "erbb2", "Erbb2", "TBCE.1", "TBCE_dup1", "3-Mar", "FAM46A"),
        *("Gm1992", "4930402H24Rik", "1700010H99RIK", "ENSG00000999999.3", "ENSMUSG00000051951"),
    ],
)
def test_names_of_human_and_mouse_genes_are_known_in_any_writing(name: str) -> None:
    assert count_known([name]) == 1


@pytest.mark.parametrize("name", ["GENE0", "12", "row7", '"ERBB2"', "ENSG1", ""])
def test_other_names_are_unknown(name: str) -> None:
    assert count_known([name]) == 0


def test_an_ensembl_id_makes_a_gene_known_whatever_its_symbol() -> None:
    assert count_known(["GFP", "x"], ["ENSG00000141736", ""]) == 1


def test_fewer_than_one_known_name_in_ten_is_described() -> None:
    assert describe_unknown([*UNKNOWN, *["ERBB2"] * 5]) == "5 of 100 (row0, row1, row2, ...)"
    assert describe_unknown([*UNKNOWN[:90], *["ERBB2"] * 10]) == ""


def test_a_share_of_fewer_than_ten_names_means_nothing() -> None:
    assert describe_unknown(UNKNOWN[:9]) == ""
    assert describe_unknown(UNKNOWN[:10])


def test_training_sections_of_unknown_genes_are_refused_together() -> None:
    with pytest.raises(TrainingError) as caught:
        require_known_genes({"S1": (UNKNOWN, ()), "S2": (["ERBB2"] * 20, ()), "S3": (UNKNOWN[5:], ())})
    message = (
        "almost no gene name is known (HGNC, Ensembl or mouse) in 'S1', 0 of 95 (row0, row1, row2, ...); 'S3', 0 of"
    )
    assert str(caught.value).startswith(message)
    assert "--set cohort.unknown_genes=true" in caught.value.hint
    assert "S2" not in str(caught.value)


def test_of_many_sections_of_unknown_genes_the_first_are_named() -> None:
    with pytest.raises(TrainingError, match=r"'S2', 0 of 95 \(row0, row1, row2, \.\.\.\); and 2 more sections"):
        require_known_genes({f"S{number}": (UNKNOWN, ()) for number in range(5)})
