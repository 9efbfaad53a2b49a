"""Every human gene gets its current symbol, whichever name a table uses."""

import pytest

from spacrd_core.genes.names import current_symbol, human_names, parse_ensembl_id, resolve_names


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
def test_earlier_names_and_aliases_become_the_current_symbol(symbol: str, today: str) -> None:
    assert current_symbol(symbol) == today


@pytest.mark.parametrize(
    ("symbol", "today"), [("QARS", "QARS1"), ("MUM1", "PWWP3A"), ("STRA13", "CENPX"), ("B3GNT1", "B4GAT1")]
)
def test_a_name_that_two_genes_have_had_belongs_to_the_latest(symbol: str, today: str) -> None:
    assert current_symbol(symbol) == today


@pytest.mark.parametrize("symbol", ["TCF4", "MCM2", "HOX1", "FLIP", "NOSUCHGENE"])
def test_ambiguous_and_unknown_names_stay(symbol: str) -> None:
    assert current_symbol(symbol) == symbol


@pytest.mark.parametrize(
    ("symbol", "today"), [("erbb2", "ERBB2"), ("C1ORF87", "C1orf87"), ("C1orf87", "C1orf87"), ("c1orf112", "FIRRM")]
)
def test_symbols_are_in_capitals_except_open_reading_frames(symbol: str, today: str) -> None:
    assert current_symbol(symbol) == today


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
def test_dates_become_the_genes_they_were_before_a_spreadsheet(date: str, gene: str) -> None:
    assert current_symbol(date) == gene


@pytest.mark.parametrize("date", ["1-Mar", "Mar-02", "30-Sep", "5-Jun"])
def test_dates_that_may_be_two_genes_or_none_stay(date: str) -> None:
    assert current_symbol(date) == date


def test_an_ensembl_id_takes_precedence_over_a_symbol() -> None:
    assert current_symbol("PDL1", "ENSG00000141736") == "ERBB2"
    assert current_symbol("HER2", "ENSG00000999999") == "ERBB2", "the symbol decides if the id is unknown"


def test_a_symbol_that_is_an_ensembl_id_is_named_by_it() -> None:
    assert current_symbol("ENSG00000141736.14") == "ERBB2"
    assert current_symbol("ENSG00000999999.2") == "ENSG00000999999"


def test_column_numbers_after_a_symbol_are_removed() -> None:
    assert current_symbol("MATR3.1") == current_symbol("MATR3-1") == "MATR3"
    assert current_symbol("MATR3_1") == current_symbol("MATR3_dup1") == current_symbol("MATR3.dup") == "MATR3"
    assert current_symbol("NKX2-1") == "NKX2-1"


@pytest.mark.parametrize("name", ["AC241585.1", "RP11-34P13.7", "CTD-2369P2.10"])
def test_names_of_clones_keep_their_numbers(name: str) -> None:
    assert current_symbol(name) == name


@pytest.mark.parametrize(
    ("text", "gene_id"),
    [
        ("ENSG00000141736", "ENSG00000141736"),
        ("ENSG00000141736.14", "ENSG00000141736"),
        ("ENSMUSG00000051951.2", "ENSMUSG00000051951"),
        ("ENSG00000141736.14_5", "ENSG00000141736"),
        ("ENSG00000182378.8_PAR_Y", "ENSG00000182378"),
        ("ENSG00000141736-1", "ENSG00000141736"),
        ("ENSG00000141736_ERBB2", ""),
        ("AC241585.1", ""),
        ("ENSG1.2", ""),
        ("ENST00000269571.10", ""),
    ],
)
def test_versions_are_stripped_from_ensembl_gene_ids_only(text: str, gene_id: str) -> None:
    assert parse_ensembl_id(text) == gene_id


def test_genes_are_named_by_id_or_symbol() -> None:
    names, ids = resolve_names(
        ["HER2", "ENSG00000120217.14", "X", "MKI67"], ["", "", "ENSG00000141736.3", ""], human=True
    )
    assert names == ["ERBB2", "CD274", "ERBB2", "MKI67"]
    assert ids == ["", "ENSG00000120217", "ENSG00000141736", ""]


def test_genes_of_other_species_keep_their_symbols() -> None:
    names, ids = resolve_names(["Gapdh", "ENSMUSG00000051951.5"], human=False)
    assert names == ["Gapdh", "ENSMUSG00000051951"]
    assert ids == ["", "ENSMUSG00000051951"]


def test_symbols_and_ids_must_have_the_same_length() -> None:
    with pytest.raises(ValueError, match="zip"):
        resolve_names(["A", "B"], ["ENSG00000141736"], human=True)


def test_every_current_symbol_is_its_own_name() -> None:
    names = human_names()
    symbols = set(names.by_id.values())
    assert len(symbols) > 39_000
    assert [symbol for symbol in symbols if current_symbol(symbol) != symbol] == []
    assert [gene_id for gene_id in names.by_id if parse_ensembl_id(gene_id) != gene_id] == []
