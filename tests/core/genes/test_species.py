"""Human and mouse sections are told apart, and not mixed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from spacrd_core.errors import DetectorError, TrainingError
from spacrd_core.genes.species import Species, one_species, require_species, species_of

if TYPE_CHECKING:
    from pathlib import Path

HUMAN = ["GAPDH", "ERBB2", "MKI67", "FAM46A", "C1orf87", "HLA-A", "EPCAM", "KRT8", "CD3D", "COL1A1", "RPL3", "KIT"]
MOUSE = [*(symbol.capitalize() for symbol in HUMAN if "orf" not in symbol), "Gm1992", "0610005C13Rik"]


def ids(prefix: str, count: int = 12) -> list[str]:
    return [f"{prefix}{number:011d}" for number in range(count)]


@pytest.mark.parametrize(
    ("symbols", "name"), [(HUMAN, "human"), (MOUSE, "mouse"), ([symbol.lower() for symbol in HUMAN], "zebrafish")]
)
def test_symbols_tell_the_species_by_their_case(symbols: list[str], name: str) -> None:
    assert species_of(symbols) == Species(name, 1.0)


def test_controls_and_clones_tell_nothing() -> None:
    assert species_of([*HUMAN, *(f"AC{number}.1" for number in range(500))]) == Species("human", 1.0)


@pytest.mark.parametrize(
    ("prefix", "name"), [("ENSG", "human"), ("ENSMUSG", "mouse"), ("ENSRNOG", "rat"), ("ENSXXXG", "ENSXXXG")]
)
def test_ensembl_ids_tell_more_than_symbols_whether_they_stand_with_them_or_instead(prefix: str, name: str) -> None:
    assert species_of(HUMAN, ids(prefix)) == Species(name, 1.0)
    assert species_of(ids(prefix)).name == name


def test_few_genes_tell_nothing() -> None:
    assert species_of(HUMAN[:9]) == Species()
    assert species_of(["A", "B"], ["", "ENSG00000141736"]) == Species()
    assert species_of([f"GENE{number}" for number in range(100)]) == Species()


def test_a_mixture_has_no_species_and_is_not_read_as_human() -> None:
    mixed = species_of(HUMAN + MOUSE)
    assert mixed.name == ""
    assert mixed.share == pytest.approx(13 / 25)
    assert not mixed.may_be_human
    assert Species().may_be_human
    assert Species("human", 0.9).may_be_human
    assert not Species("mouse", 1.0).may_be_human


def test_sections_of_several_species_are_refused_together() -> None:
    found = {"A": Species("human", 1.0), "M1": Species("mouse", 1.0), "B": Species("human", 0.9), "U": Species()}
    with pytest.raises(TrainingError) as caught:
        one_species(found | {f"M{number}": Species("mouse", 1.0) for number in range(2, 6)})
    assert str(caught.value) == (
        "sections of one species were wanted, found human genes in A, B; mouse genes in M1, M2, M3, ..."
    )
    assert caught.value.hint == "leave the others out: --exclude SECTION"


def test_sections_that_do_not_tell_go_with_any() -> None:
    assert one_species({"A": Species("human", 1.0), "U": Species()}) == "human"
    assert one_species({"U": Species()}) == ""


def test_a_section_of_another_species_than_the_detectors_is_refused() -> None:
    with pytest.raises(DetectorError) as caught:
        require_species("embryo", Species("mouse", 0.998), "human")
    assert str(caught.value) == (
        "section 'embryo' measures mouse genes (100% of those that tell), the detector reads human ones"
    )
    assert caught.value.hint == "give a section of human tissue, or train a detector on sections of mouse"


@pytest.mark.parametrize(("found", "wanted"), [("human", "human"), ("", "human"), ("mouse", "")])
def test_what_does_not_contradict_is_let_pass(found: str, wanted: str) -> None:
    require_species("A", Species(found, 1.0), wanted)


def test_the_real_mouse_embryo_is_of_mouse_by_ids_and_by_symbols(visium: Path) -> None:
    table = visium / "mouse_embryo_spaceranger3" / "filtered_feature_bc_matrix" / "features.tsv.gz"
    with gzip.open(table, "rt") as stream:
        gene_ids, symbols, _ = zip(*(line.split("\t") for line in stream), strict=True)
    assert species_of(symbols, gene_ids) == Species("mouse", 1.0)
    by_symbol = species_of(symbols)
    assert by_symbol.name == "mouse"
    assert by_symbol.share > 0.99


def test_real_breast_sections_are_of_human(her2st: Path) -> None:
    with gzip.open(her2st / "ST-cnts" / "A1.tsv.gz", "rt") as stream:
        symbols = stream.readline().rstrip("\n").split("\t")[1:]
    found = species_of(symbols)
    assert found.name == "human"
    assert found.share > 0.99
