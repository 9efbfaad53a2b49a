"""Every human gene has one name, whatever a table calls it."""

from __future__ import annotations

import pytest

from spacrd_core.genes.names import canonical, ensembl_id, human_names, identify


@pytest.mark.parametrize(
    ("symbol", "today"),
    [
        ("ERBB2", "ERBB2"),
        ("MARCH3", "MARCHF3"),
        ("SEPT2", "SEPTIN2"),
        ("DEC1", "DELEC1"),
        ("H2AFX", "H2AX"),
        ("HIST1H1E", "H1-4"),
        ("FAM46A", "TENT5A"),
        ("KIAA1524", "CIP2A"),
        ("GPR56", "ADGRG1"),
        ("SELM", "SELENOM"),
        ("MLL2", "KMT2D"),
        ("HER2", "ERBB2"),
        ("CD20", "MS4A1"),
    ],
)
def test_earlier_names_and_aliases_become_the_symbol_of_today(symbol: str, today: str) -> None:
    assert canonical(symbol) == today


@pytest.mark.parametrize(
    ("symbol", "today"), [("QARS", "QARS1"), ("MUM1", "PWWP3A"), ("STRA13", "CENPX"), ("B3GNT1", "B4GAT1")]
)
def test_a_name_that_two_genes_have_borne_is_that_of_the_last(symbol: str, today: str) -> None:
    assert canonical(symbol) == today


@pytest.mark.parametrize("symbol", ["TCF4", "MCM2", "HOX1", "FLIP", "NOSUCHGENE"])
def test_names_of_another_gene_today_or_of_several_stay(symbol: str) -> None:
    assert canonical(symbol) == symbol


@pytest.mark.parametrize(
    ("symbol", "today"), [("erbb2", "ERBB2"), ("C1ORF87", "C1orf87"), ("C1orf87", "C1orf87"), ("c1orf112", "FIRRM")]
)
def test_symbols_are_in_capitals_but_for_open_reading_frames(symbol: str, today: str) -> None:
    assert canonical(symbol) == today


@pytest.mark.parametrize(
    ("date", "gene"),
    [
        ("3-Mar", "MARCHF3"),
        ("Mar-03", "MARCHF3"),
        ("03-Mar", "MARCHF3"),
        ("2-Sep", "SEPTIN2"),
        ("Sep-02", "SEPTIN2"),
        ("2-Sept", "SEPTIN2"),
        ("15-Sep", "SELENOF"),
        ("1-Dec", "DELEC1"),
        ("10-Mar", "MARCHF10"),
    ],
)
def test_dates_become_the_genes_that_spreadsheets_made_them_of(date: str, gene: str) -> None:
    assert canonical(date) == gene


@pytest.mark.parametrize("date", ["1-Mar", "Mar-02", "30-Sep", "5-Jun"])
def test_dates_that_may_be_two_genes_or_none_stay(date: str) -> None:
    assert canonical(date) == date


def test_an_ensembl_id_tells_more_than_a_symbol() -> None:
    assert canonical("PDL1", "ENSG00000141736") == "ERBB2"
    assert canonical("HER2", "ENSG00000999999") == "ERBB2", "where the id is not known, the symbol speaks"


def test_a_symbol_that_is_an_ensembl_id_is_named_by_it() -> None:
    assert canonical("ENSG00000141736.14") == "ERBB2"
    assert canonical("ENSG00000999999.2") == "ENSG00000999999"


def test_numbers_after_a_symbol_are_left_out_where_a_gene_is_before_them() -> None:
    assert canonical("MATR3.1") == canonical("MATR3-1") == "MATR3"
    assert canonical("NKX2-1") == "NKX2-1"


@pytest.mark.parametrize("name", ["AC241585.1", "RP11-34P13.7", "CTD-2369P2.10"])
def test_names_of_clones_keep_their_numbers(name: str) -> None:
    assert canonical(name) == name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ENSG00000141736", "ENSG00000141736"),
        ("ENSG00000141736.14", "ENSG00000141736"),
        ("ENSMUSG00000051951.2", "ENSMUSG00000051951"),
        ("AC241585.1", ""),
        ("ENSG1.2", ""),
        ("ENST00000269571.10", ""),
    ],
)
def test_versions_are_stripped_from_ensembl_gene_ids_alone(text: str, found: str) -> None:
    assert ensembl_id(text) == found


def test_a_sections_genes_are_identified_by_whatever_is_known() -> None:
    names, ids = identify(["HER2", "ENSG00000120217.14", "X", "MKI67"], ["", "", "ENSG00000141736.3", ""], human=True)
    assert names == ["ERBB2", "CD274", "ERBB2", "MKI67"]
    assert ids == ["", "ENSG00000120217", "ENSG00000141736", ""]


def test_genes_of_other_species_keep_their_symbols() -> None:
    names, ids = identify(["Gapdh", "ENSMUSG00000051951.5"], human=False)
    assert names == ["Gapdh", "ENSMUSG00000051951"]
    assert ids == ["", "ENSMUSG00000051951"]


def test_a_symbol_and_an_id_are_wanted_of_each_gene() -> None:
    with pytest.raises(ValueError, match="zip"):
        identify(["A", "B"], ["ENSG00000141736"], human=True)


def test_every_symbol_of_today_is_its_own_name() -> None:
    names = human_names()
    symbols = set(names.by_id.values())
    assert len(symbols) > 39_000
    assert [symbol for symbol in symbols if canonical(symbol) != symbol] == []
    assert [gene_id for gene_id in names.by_id if ensembl_id(gene_id) != gene_id] == []
