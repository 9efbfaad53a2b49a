"""What is read of a section: nothing where nothing can be known, and the detector's tissue where it disagrees."""

from dataclasses import replace

import numpy as np
import pytest
from stand_ins.aneuploid import aneuploid_expression, aneuploid_section, clone, epithelium
from stand_ins.carcinoma import LISTS

from spacrd_core.cohort.section_data import SectionData
from spacrd_core.copy_number.read import read_copy_number
from spacrd_core.genes.species import Species
from spacrd_core.prior.read import with_evidence

PLANTED = {"1q": 2, "8q": 2, "17q": 2}


@pytest.fixture(scope="module")
def tumour() -> SectionData:
    return aneuploid_section(aneuploid_expression(PLANTED))


def test_a_section_with_gains_has_a_verdict_and_a_value_for_every_spot(tumour: SectionData) -> None:
    found = read_copy_number(tumour)
    assert found.section.verdict == "supported"
    assert np.isfinite(found.spots).all()
    assert np.isnan(found.section.detector_z)


def test_spots_have_values_where_the_verdict_is_unclear() -> None:
    found = read_copy_number(
        aneuploid_section(aneuploid_expression(dict.fromkeys(("1q", "8q", "17q", "20q"), 1), purity=0.8))
    )
    assert found.section.verdict == "unclear"
    assert np.isfinite(found.spots).all()


def test_spots_have_no_value_where_the_section_shows_nothing() -> None:
    found = read_copy_number(aneuploid_section(aneuploid_expression({})))
    assert found.section.verdict == "no evidence"
    assert len(found.spots) == len(epithelium())
    assert np.isnan(found.spots).all()


def test_the_tissue_of_a_detector_that_disagrees_is_tested_too(tumour: SectionData) -> None:
    agreeing = read_copy_number(tumour, clone().astype(float)).section
    assert agreeing.detector_z > 7
    columns = np.arange(len(epithelium())) % 20
    wrong = read_copy_number(tumour, np.where(epithelium(), columns % 2, 0.5)).section
    assert wrong.detector_z < 3
    assert wrong.z == agreeing.z
    assert "supports the tissue that the gene lists find, not" in wrong.cautions(0.0)[0]


def test_labels_are_not_read(tumour: SectionData) -> None:
    assert read_copy_number(replace(tumour, labels=1 - tumour.labels)).section == read_copy_number(tumour).section


@pytest.mark.parametrize("species", [Species("mouse", 1.0), Species("", 0.6)], ids=["mouse", "human graft in a mouse"])
def test_genes_that_are_not_human_are_unknown(tumour: SectionData, species: Species) -> None:
    assert tumour.expression is not None
    other = replace(tumour, expression=replace(tumour.expression, species=species))
    found = read_copy_number(other)
    assert found.section.summary == "unknown: its genes are not human, or of several species"
    assert np.isnan(found.spots).all()


def test_a_section_without_genes_or_without_genes_of_the_lists_is_unknown(tumour: SectionData) -> None:
    assert read_copy_number(replace(tumour, expression=None)).section.summary == "unknown: the section has no genes"
    listed = {gene for genes in (LISTS.positive | LISTS.negative).values() for gene in genes}
    expression = tumour.expression
    assert expression is not None
    kept = np.array([column for column, symbol in enumerate(expression.symbols) if symbol not in listed])
    symbols = tuple(expression.symbols[column] for column in kept)
    others = replace(expression, values=expression.values[:, kept], symbols=symbols, gene_ids=())
    found = read_copy_number(with_evidence(replace(tumour, expression=others), LISTS)).section
    assert (found.verdict, found.unknown_reason) == ("unknown", "no gene that tells tumour-like tissue is measured")
