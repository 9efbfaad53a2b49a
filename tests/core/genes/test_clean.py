"""Symbols and ids are told apart by what they are, whatever stands around them."""

import pytest

from spacrd_core.genes.clean import clean_names, is_ensembl_id

TP53, ERBB2 = "ENSG00000141510", "ENSG00000141736"


@pytest.mark.parametrize("separator", [" ", "_", "|", "\t", ";", ":", ".", "-", "/", " | "])
def test_a_symbol_and_an_id_in_one_cell_are_told_apart_in_either_order(separator: str) -> None:
    names = clean_names([f"TP53{separator}{TP53}", f"{ERBB2}.14{separator}ERBB2", f"HLA-A{separator}ENSG00000206503"])
    assert names.symbols == ["TP53", "ERBB2", "HLA-A"]
    assert names.gene_ids == [TP53, ERBB2, "ENSG00000206503"]
    (note,) = names.notes
    assert note.startswith("gene symbols and Ensembl ids in one cell, separated: 3 (TP53 and ENSG00000141510, ")


def test_an_id_in_brackets_belongs_to_its_symbol() -> None:
    names = clean_names([f"AC241585.1 ({TP53})", f"ERBB2[{ERBB2}]"])
    assert names.symbols == ["AC241585.1", "ERBB2"]
    assert names.gene_ids == [TP53, ERBB2]


@pytest.mark.parametrize("gene_id", [TP53, f"{TP53}.18", f"{TP53}.18_2", f"{TP53}.18_PAR_Y", f"{TP53}-1"])
def test_an_id_with_a_version_or_a_number_is_no_symbol(gene_id: str) -> None:
    names = clean_names([gene_id])
    assert (names.symbols, names.gene_ids, names.notes) == ([gene_id], [TP53], ())


@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_quotes_are_removed_and_reported(quote: str) -> None:
    names = clean_names([f"{quote}TP53{quote}", f"ERBB2{quote}"], [f"{quote}{TP53}{quote}", f"{quote}{ERBB2}"])
    assert names.symbols == ["TP53", "ERBB2"]
    assert names.gene_ids == [TP53, ERBB2]
    assert names.notes == (f"gene names in quotes, unquoted: 2 ({quote}TP53{quote} to TP53, ERBB2{quote} to ERBB2)",)


@pytest.mark.parametrize("prefix", ["GRCh38_", "GRCh38___", "hg38_", "hg19-", "human_", "GRCH38_"])
def test_the_genome_before_names_is_removed(prefix: str) -> None:
    names = clean_names([f"{prefix}TP53", f"{prefix}HLA-A", "GFP"], [f"{prefix}{TP53}", f"{prefix}x", "GFP"])
    assert names.symbols == ["TP53", "HLA-A", "GFP"]
    assert names.gene_ids == [TP53, "", ""]
    (note,) = names.notes
    assert note.startswith("genome before gene names, removed: 2 (")


def test_names_of_two_genomes_stay_apart() -> None:
    names = clean_names(["GRCh38_ACTB", "mm10_Actb"])
    assert names.symbols == ["GRCh38_ACTB", "mm10_Actb"]
    assert names.notes == ("gene names of 2 genomes, kept with their prefixes: GRCh38, mm10",)


def test_exchanged_columns_are_told_by_their_values() -> None:
    names = clean_names([TP53, ERBB2], ["TP53", "ERBB2"])
    assert names.symbols == ["TP53", "ERBB2"]
    assert names.gene_ids == [TP53, ERBB2]
    (note,) = names.notes
    assert note.startswith("gene symbols and ids in each other's column, exchanged: 2 (TP53 is ENSG00000141510")


def test_exchanged_columns_with_ids_of_another_database_are_told_by_known_symbols() -> None:
    names = clean_names(["7157", "2064", "9999999"], ["TP53", "ERBB2", "LOC1"])
    assert names.symbols == ["TP53", "ERBB2", "LOC1"]
    assert names.ids == ["7157", "2064", "9999999"]


def test_symbols_and_ids_may_be_mixed_in_one_column() -> None:
    names = clean_names(["TP53", f"{ERBB2}.2", "HLA-A"])
    assert names.symbols == ["TP53", f"{ERBB2}.2", "HLA-A"]
    assert names.gene_ids == ["", ERBB2, ""]
    assert names.notes == ()


@pytest.mark.parametrize("missing", ["", "NA", "nan", "None", "-"])
def test_a_gene_without_a_symbol_is_named_by_its_id(missing: str) -> None:
    names = clean_names([missing, "ERBB2"], [TP53, ERBB2])
    assert names.symbols == [TP53, "ERBB2"]
    assert names.notes == ("genes without a symbol, named by their ids: 1 (ENSG00000141510)",)


def test_symbols_changed_by_r_are_restored_and_reported() -> None:
    names = clean_names(["HLA.A", "X7SK", "ERBB2", "3-Mar"])
    assert names.symbols == ["HLA-A", "7SK", "ERBB2", "3-Mar"]
    assert names.notes == ("gene symbols changed by R, restored: 2 (HLA.A to HLA-A, X7SK to 7SK)",)


def test_clean_names_stay_as_they_are() -> None:
    names = clean_names(["ERBB2", "GFP", "AC241585.1"], [f"{ERBB2}.14", "GFP", "custom_1"])
    assert (names.symbols, names.ids) == (["ERBB2", "GFP", "AC241585.1"], [f"{ERBB2}.14", "GFP", "custom_1"])
    assert names.notes == ()
    assert clean_names([], []).symbols == []


def test_ensembl_ids_are_known_in_quotes_and_after_a_genome() -> None:
    assert all(map(is_ensembl_id, [TP53, f'"{TP53}"', f"GRCh38_{TP53}.3"]))
    assert not is_ensembl_id("TP53")
