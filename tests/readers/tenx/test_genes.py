"""Selecting the genes among the features, and their names."""

from pathlib import Path

import pytest

from spacrd_core.errors import ConfigError, CountsError
from spacrd_readers.tenx.blocks import feature_table
from spacrd_readers.tenx.genes import choose_genes

FILE = Path("m.h5")
GENE = "Gene Expression"


def ensembl(number: int) -> str:
    return f"ENSG{number:011d}"


def test_symbol_and_ensembl_id_are_both_kept() -> None:
    genes = choose_genes(feature_table([ensembl(1), "MYGENE"], ["ERBB2", "GFP"]), "", FILE)
    assert genes.var.to_dict("list") == {"symbol": ["ERBB2", "GFP"], "gene_id": [ensembl(1), ""]}
    assert list(genes.var.index) == ["ERBB2", "GFP"]


def test_genes_of_one_symbol_are_kept_apart_by_their_ids_and_reported() -> None:
    genes = choose_genes(feature_table([ensembl(1), ensembl(2), ensembl(3)], ["TBCE", "A", "TBCE"]), "", FILE)
    assert list(genes.var.index) == [ensembl(1), "A", ensembl(3)]
    assert list(genes.var["symbol"]) == ["TBCE", "A", "TBCE"]
    (note,) = genes.notes
    assert note.startswith("symbols shared by several genes")
    assert note.endswith(": 1 (TBCE)")


def test_only_gene_expression_is_kept_and_the_rest_counted() -> None:
    kinds = [GENE, "Antibody Capture", "Antibody Capture", GENE]
    genes = choose_genes(feature_table(["E1", "P1", "P2", "E2"], ["A", "CD3", "CD4", "B"], kinds), "", FILE)
    assert genes.keep.tolist() == [True, False, False, True]
    assert genes.notes == ("features that are not genes, left out: Antibody Capture (2)",)


@pytest.mark.parametrize(
    "name",
    ["NegControlProbe_00001", "NegControlCodeword_0500", "antisense_PROKR2", "BLANK_0001", "Intergenic_Region_7"],
)
def test_controls_that_pass_for_genes_are_known_by_their_names(name: str) -> None:
    genes = choose_genes(feature_table(["E1", name], ["A", name]), "", FILE)
    assert list(genes.var["symbol"]) == ["A"]
    assert genes.notes == ("features that are not genes, left out: control (1)",)


def test_withdrawn_probes_are_left_out() -> None:
    genes = choose_genes(feature_table([f"DEPRECATED_{ensembl(1)}", ensembl(2)], ["A", "B"]), "", FILE)
    assert list(genes.var["symbol"]) == ["B"]


def test_one_of_several_genomes_must_be_chosen() -> None:
    features = feature_table(["GRCh38_E1", "mm10_E2"], ["GRCh38_A", "mm10_B"], GENE, ["GRCh38", "mm10"])
    with pytest.raises(CountsError) as caught:
        choose_genes(features, "", FILE)
    assert "m.h5 has genes of 2 genomes: GRCh38, mm10" in str(caught.value)
    assert "--set reader.genome=NAME" in caught.value.hint
    chosen = choose_genes(features, "mm10", FILE)
    assert list(chosen.var["symbol"]) == ["B"]
    with pytest.raises(ConfigError, match=r"has no genes of rn6; its genomes: GRCh38, mm10"):
        choose_genes(features, "rn6", FILE)


def test_a_matrix_without_genes_is_refused() -> None:
    with pytest.raises(CountsError, match=r"m.h5 counts no genes, only Protein Expression \(1\)"):
        choose_genes(feature_table(["P1"], ["CD3"], "Protein Expression"), "", FILE)


def test_genes_without_any_name_of_their_own_still_get_one() -> None:
    genes = choose_genes(feature_table(["A", "A", "B"], ["A", "A", "B"]), "", FILE)
    assert genes.var.index.is_unique


@pytest.mark.parametrize("prefix", ["GRCh38_", "GRCh38___"])
def test_the_prefix_of_a_genome_is_removed_whatever_its_length(prefix: str) -> None:
    table = feature_table([f"{prefix}{ensembl(1)}"], [f"{prefix}ERBB2"], GENE, ["GRCh38"])
    assert choose_genes(table, "", FILE).var.to_dict("list") == {"symbol": ["ERBB2"], "gene_id": [ensembl(1)]}


def test_names_are_cleaned_in_every_format() -> None:
    genes = choose_genes(feature_table(['"ERBB2"', "HLA.A"], [f'"{ensembl(1)}"', "HLA.A"]), "", FILE)
    assert genes.var.to_dict("list") == {"symbol": ["ERBB2", "HLA-A"], "gene_id": [ensembl(1), ""]}
    assert [note.split(":")[0] for note in genes.notes] == [
        "gene names in quotes, unquoted",
        "gene symbols and ids in each other's column, exchanged",
        "gene symbols changed by R, restored",
    ]
