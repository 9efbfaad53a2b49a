from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_readers.st.counts import read_counts


def counts(tmp_path: Path, *lines: str) -> tuple[ad.AnnData, tuple[str, ...]]:
    path = tmp_path / "T1.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_counts(path)


EXPECTED = [[1, 0, 3], [4, 5, 0]]


@pytest.mark.parametrize(
    "lines",
    [
        ("\tA\tB\tC", "10x13\t1\t0\t3", "11x13\t4\t5\t0"),
        ("A\tB\tC", "10x13\t1\t0\t3", "11x13\t4\t5\t0"),
        ('""\t"A"\t"B"\t"C"', '"10x13"\t1\t0\t3', '"11x13"\t4\t5\t0'),
        ("gene\t10x13\t11x13", "A\t1\t4", "B\t0\t5", "C\t3\t0"),
        ("\tA\tB\tC", "9.97x13.02\t1.0\t0.0\t3.0", "11.1x12.8\t4\t5\t0"),
        ("\tA\tB\tC", "10_13\t1\t0\t3", "11_13\t4\t5\t0"),
    ],
)
def test_counts_are_spots_by_genes_in_either_orientation_of_the_table(tmp_path: Path, lines: tuple[str, ...]) -> None:
    found, notes = counts(tmp_path, *lines)
    assert isinstance(found.X, sparse.csr_matrix)
    assert found.X.dtype == np.int32
    assert found.X.toarray().tolist() == EXPECTED
    assert (list(found.obs_names), list(found.var_names)) == (["10x13", "11x13"], ["A", "B", "C"])
    assert notes == ()


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("\tA\tB\tC", "10x13\t1\t0\t3\r"),
        (",A,B,C", "10x13,1,0,3"),
        (",A,B,C", '"10x13",1,"0",3'),
        ("gene,10x13", '"A, long",1\n"B, long",0\n"C",3'),
        ("\tA\tB\tC", "10x13\t1\t0\t3\n\n"),
    ],
)
def test_plain_and_quoted_tables_hold_the_same_counts(tmp_path: Path, header: str, row: str) -> None:
    table, _ = counts(tmp_path, header, row)
    assert table.X.toarray().tolist() == [[1, 0, 3]]
    assert list(table.obs_names) == ["10x13"]


def test_genes_keep_their_symbol_and_their_ensembl_id_where_they_have_one(tmp_path: Path) -> None:
    found, _ = counts(tmp_path, "\tNA\tWDFY4.1\tENSG00000141736.7", "10x13\t1\t2\t3")
    assert list(found.var["symbol"]) == list(found.var_names) == ["NA", "WDFY4.1", "ENSG00000141736.7"]
    assert list(found.var["gene_id"]) == ["", "", "ENSG00000141736"]


def test_a_gene_named_twice_is_summed_and_reported(tmp_path: Path) -> None:
    found, notes = counts(tmp_path, "\tB\tA\tB", "10x13\t1\t0\t3", "11x13\t4\t5\t0")
    assert list(found.var_names) == ["B", "A"]
    assert found.X.toarray().tolist() == [[4, 0], [4, 5]]
    assert notes == ("genes named more than once, summed: 1 (B)",)


def test_a_spot_without_a_count_is_kept(tmp_path: Path) -> None:
    found, _ = counts(tmp_path, "\tA\tB", "10x13\t0\t0", "11x13\t4\t5")
    assert found.n_obs == 2


@pytest.mark.parametrize(
    ("lines", "phrase"),
    [
        (("\tA\tB", "10x13\t1\t0.69"), "no raw counts: 0.69 at spot 10x13, gene B"),
        (("gene\t10x13\t11x13", "A\t0\t-2"), "no raw counts: -2 at spot 11x13, gene A"),
        (("\tA", "10x13\tnan"), "has 'nan' where a number was expected"),
        (("\tA", "10x13\t1e300"), r"no raw counts: 1e\+300"),
        (("\tA\tB", "10x13\t1\tx"), r"has 'x' where a number was expected \(row 10x13, column B\)"),
        (("\tA\tB", "10x13\t1\t2", "11x13\t1"), "has '' where a number was expected"),
        (("\tA\tB", "10x13\t1\t2", "11x13\t1\t2\t3"), "is not a table"),
        (("\tA\tB\tC\tD", "10x13\t1\t2"), "has 5 names for 3 columns"),
        (("\tA\tB",), "a header but no rows"),
        (("\tA", "spot1\t1"), r"neither the rows nor the columns of .* rows spot1 and columns A are not"),
        (("\tA", "10x13\t1", "total\t1"), "rows total and columns A are not"),
        (("\tA", "10x13\t1", "9.9x13.1\t1"), "spot 10x13 more than once"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_hint(
    tmp_path: Path, lines: tuple[str, ...], phrase: str
) -> None:
    with pytest.raises(CountsError, match=phrase) as caught:
        counts(tmp_path, *lines)
    assert "T1.tsv" in str(caught.value)
    assert caught.value.hint


IDS = ["ENSG00000141736", "ENSG00000206503", "ENSG00000141510"]


@pytest.mark.parametrize("separator", [" ", "_", "|", "\t"])
@pytest.mark.parametrize("order", ["{symbol}{separator}{gene_id}", "{gene_id}{separator}{symbol}"])
def test_a_symbol_and_an_ensembl_id_that_name_one_row_are_told_apart(
    tmp_path: Path, separator: str, order: str
) -> None:
    names = [
        order.format(symbol=symbol, separator=separator, gene_id=gene_id)
        for symbol, gene_id in zip(["ERBB2", "HLA-A", "TP53"], IDS, strict=True)
    ]
    header = "gene\tid\t10x13\t11x13" if separator == "\t" else "gene\t10x13\t11x13"
    rows = [f"{name}\t{values}" for name, values in zip(names, ["1\t4", "0\t5", "3\t0"], strict=True)]
    table, notes = counts(tmp_path, header, *rows)
    assert table.X.toarray().tolist() == EXPECTED
    assert table.var.to_dict("list") == {"symbol": ["ERBB2", "HLA-A", "TP53"], "gene_id": IDS}
    assert notes[0].startswith("gene symbols and Ensembl ids in one cell, separated: 3")


def test_symbols_that_are_one_gene_once_they_are_clean_are_summed(tmp_path: Path) -> None:
    table, notes = counts(tmp_path, "\tHLA-A\tHLA.A\tX7SK", "10x13\t1\t2\t3")
    assert list(table.var_names) == ["HLA-A", "7SK"]
    assert table.X.toarray().tolist() == [[3, 3]]
    assert notes == (
        "gene symbols changed by R, restored: 2 (HLA.A to HLA-A, X7SK to 7SK)",
        "genes named more than once, summed: 1 (HLA-A)",
    )
