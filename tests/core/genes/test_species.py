"""The species of a section is inferred from gene names; species are never mixed."""

import gzip
from pathlib import Path

import pytest

from spacrd_core.errors import DetectorError, TrainingError
from spacrd_core.genes.species import Species, common_species, infer_species, require_species

HUMAN = ["GAPDH", "ERBB2", "MKI67", "FAM46A", "C1orf87", "HLA-A", "EPCAM", "KRT8", "CD3D", "COL1A1", "RPL3", "KIT"]
MOUSE = [*(symbol.capitalize() for symbol in HUMAN if "orf" not in symbol), "Gm1992", "0610005C13Rik"]


def ids(prefix: str, count: int = 12) -> list[str]:
    return [f"{prefix}{number:011d}" for number in range(count)]


@pytest.mark.parametrize(
    ("symbols", "name"), [(HUMAN, "human"), (MOUSE, "mouse"), ([symbol.lower() for symbol in HUMAN], "zebrafish")]
)
def test_the_case_of_symbols_gives_the_species(symbols: list[str], name: str) -> None:
    assert infer_species(symbols) == Species(name, 1.0)


def test_controls_and_clones_are_not_informative() -> None:
    assert infer_species([*HUMAN, *(f"AC{number}.1" for number in range(500))]) == Species("human", 1.0)


@pytest.mark.parametrize(
    ("prefix", "name"), [("ENSG", "human"), ("ENSMUSG", "mouse"), ("ENSRNOG", "rat"), ("ENSXXXG", "ENSXXXG")]
)
def test_ensembl_ids_take_precedence_whether_beside_symbols_or_instead_of_them(prefix: str, name: str) -> None:
    assert infer_species(HUMAN, ids(prefix)) == Species(name, 1.0)
    assert infer_species(ids(prefix)).name == name


def test_few_genes_leave_the_species_undecided() -> None:
    assert infer_species(HUMAN[:9]) == Species()
    assert infer_species(["A", "B"], ["", "ENSG00000141736"]) == Species()
    assert infer_species([f"GENE{number}" for number in range(100)]) == Species()


def test_a_mixture_has_no_species_and_is_not_read_as_human() -> None:
    mixed = infer_species(HUMAN + MOUSE)
    assert mixed.name == ""
    assert mixed.share == pytest.approx(13 / 25)
    assert not mixed.may_be_human
    assert Species().may_be_human
    assert Species("human", 0.9).may_be_human
    assert not Species("mouse", 1.0).may_be_human


def test_sections_of_several_species_are_refused_together() -> None:
    species = {"A": Species("human", 1.0), "M1": Species("mouse", 1.0), "B": Species("human", 0.9), "U": Species()}
    with pytest.raises(TrainingError) as caught:
        common_species(species | {f"M{number}": Species("mouse", 1.0) for number in range(2, 6)})
    assert "human genes in A, B; mouse genes in M1, M2, M3, ..." in str(caught.value)
    assert "--exclude SECTION" in caught.value.hint


def test_sections_of_undecided_species_combine_with_any() -> None:
    assert common_species({"A": Species("human", 1.0), "U": Species()}) == "human"
    assert common_species({"U": Species()}) == ""


def test_a_section_of_another_species_than_the_detectors_is_refused() -> None:
    with pytest.raises(DetectorError) as caught:
        require_species("embryo", Species("mouse", 0.998), "human")
    assert "'embryo' measures mouse genes (100% of the informative genes)" in str(caught.value)
    assert "section of human tissue" in caught.value.hint


@pytest.mark.parametrize(("species", "required"), [("human", "human"), ("", "human"), ("mouse", "")])
def test_equal_and_unknown_species_pass(species: str, required: str) -> None:
    require_species("A", Species(species, 1.0), required)


def test_a_real_mouse_embryo_is_mouse_by_ids_and_by_symbols(visium: Path) -> None:
    table = visium / "mouse_embryo_spaceranger3" / "filtered_feature_bc_matrix" / "features.tsv.gz"
    with gzip.open(table, "rt") as stream:
        gene_ids, symbols, _ = zip(*(line.split("\t") for line in stream), strict=True)
    assert infer_species(symbols, gene_ids) == Species("mouse", 1.0)
    by_symbol = infer_species(symbols)
    assert by_symbol.name == "mouse"
    assert by_symbol.share > 0.99


def test_mouse_symbols_in_capitals_are_mouse_by_their_riken_clones(visium: Path) -> None:
    table = visium / "mouse_embryo_spaceranger3" / "filtered_feature_bc_matrix" / "features.tsv.gz"
    with gzip.open(table, "rt") as stream:
        symbols = [line.split("\t")[1].upper() for line in stream]
    assert infer_species(symbols).name == "mouse"


def test_a_few_riken_clones_are_aliases_of_human_genes() -> None:
    symbols = [*[f"RPL{number}" for number in range(3, 40)], "1700010H15RIK", "2310005P21RIK"]
    assert infer_species(symbols).name == "human"


def test_a_real_breast_section_is_human(her2st: Path) -> None:
    with gzip.open(her2st / "ST-cnts" / "A1.tsv.gz", "rt") as stream:
        symbols = stream.readline().rstrip("\n").split("\t")[1:]
    species = infer_species(symbols)
    assert species.name == "human"
    assert species.share > 0.99
