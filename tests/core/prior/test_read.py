"""What is read of a section, and of the parts of it that training reads; never its labels."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from stand_ins.carcinoma import EPITHELIAL, LISTS, carcinoma_section, half_tumour

from spacrd_core.cohort.evidence import SectionEvidence
from spacrd_core.cohort.mixtures import mixture_masks
from spacrd_core.cohort.section_data import SectionData, with_modalities
from spacrd_core.genes.species import Species
from spacrd_core.prior.read import read_evidence, with_evidence, with_training_evidence


@pytest.fixture
def section() -> SectionData:
    return carcinoma_section(image=True)


def of_species(section: SectionData, name: str) -> SectionData:
    assert section.expression is not None
    return replace(section, expression=replace(section.expression, species=Species(name, 1.0)))


def test_genes_and_image_are_read_alike_and_both_find_the_tumour(section: SectionData) -> None:
    found = read_evidence(section, LISTS)
    assert found.genes is not None
    assert found.image is not None
    for score in (found.genes, found.image):
        assert roc_auc_score(half_tumour(), score) > 0.98
        assert (score.mean(), score.std()) == pytest.approx((0, 1), abs=1e-6)
    assert found.epithelium.answer == "present"
    assert found.amount.known
    assert min(found.structure[name] for name in ("genes", "image")) > 0.3


def test_labels_are_not_read(section: SectionData) -> None:
    unlabelled = replace(section, labels=np.full_like(section.labels, -1))
    first, second = read_evidence(section, LISTS), read_evidence(unlabelled, LISTS)
    np.testing.assert_array_equal(first.genes, second.genes)
    np.testing.assert_array_equal(first.image, second.image)
    assert (first.amount, first.epithelium) == (second.amount, second.epithelium)


def test_a_section_without_genes_or_staining_says_nothing_by_them() -> None:
    genes, image, neither = (
        read_evidence(carcinoma_section(genes=genes, image=image), LISTS)
        for genes, image in ((True, False), (False, True), (False, False))
    )
    assert genes.genes is not None
    assert genes.image is None
    assert image.image is not None
    assert (image.genes, image.loadings, image.epithelium.answer) == (None, None, "unknown")
    assert (neither.genes, neither.image, neither.structure) == (None, None, {})


@pytest.mark.parametrize(("name", "read"), [("human", True), ("", True), ("mouse", False)])
def test_genes_of_another_species_say_nothing(section: SectionData, name: str, *, read: bool) -> None:
    found = read_evidence(of_species(section, name), LISTS)
    assert (found.genes is not None) == read
    assert (found.epithelium.listed > 0) == read
    assert found.image is not None


def test_a_tissue_that_lacks_the_epithelial_genes_has_no_epithelium() -> None:
    found = read_evidence(carcinoma_section(epithelium=0.02), LISTS).epithelium
    assert (found.answer, found.measured) == ("none", len(EPITHELIAL))


def test_a_section_is_cut_to_every_share_of_tumour(section: SectionData) -> None:
    labels = np.where(np.arange(len(section.labels)) < 12, -1, section.labels)
    masks = [*mixture_masks(replace(section, labels=labels))]
    shares = [labels[mask].mean() for mask in masks]
    assert not any(mask[labels < 0].any() for mask in masks)
    assert shares[0] == labels[labels >= 0].mean()
    assert sorted({round(float(share), 1) for share in shares}) == [0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0]


def test_training_reads_every_part_as_if_nothing_else_had_been_measured(section: SectionData) -> None:
    read = with_training_evidence(section, LISTS)
    masks = [*mixture_masks(section)]
    assert len(read.mixtures) == len(masks)
    mask, evidence = read.mixtures[2]
    alone = read_evidence(replace(section.select_spots(mask), stain=None), LISTS)
    np.testing.assert_array_equal(evidence.genes, alone.genes)
    assert evidence.amount == alone.amount
    levels = [evidence.amount.expression for _, evidence in read.mixtures]
    shares = [section.labels[mask].mean() for mask, _ in read.mixtures]
    assert np.corrcoef(levels, shares)[0, 1] > 0.95


def test_without_genes_there_is_nothing_to_cut() -> None:
    assert with_training_evidence(carcinoma_section(genes=False, image=True), LISTS).mixtures == ()


def test_evidence_of_a_modality_left_out_is_left_out_too(section: SectionData) -> None:
    read = with_evidence(section, LISTS)
    genes, image = (with_modalities(read, genes=genes, image=not genes).evidence for genes in (True, False))
    assert isinstance(genes, SectionEvidence)
    assert isinstance(image, SectionEvidence)
    assert genes.genes is not None
    assert genes.image is None
    assert (image.genes, image.loadings) == (None, None)
    assert image.image is not None
    assert not image.amount.known
