"""Warnings to read before relying on calls."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from stand_ins.copy_number import NO_EVIDENCE, SUPPORTED, UNKNOWN
from stand_ins.detector import made_detector

from spacrd_core.copy_number.result import CopyNumber
from spacrd_core.detector.config import DetectorConfig
from spacrd_core.model.findings import Findings
from spacrd_core.plugins import Plugins
from spacrd_core.results.warnings import cautions, collect_warnings, is_out_of_distribution, training_overlap


@pytest.fixture(scope="module")
def config(plugins: Plugins) -> DetectorConfig:
    return made_detector(plugins, patients="AB").config


def table(*, ood: list[float], genes: float = 0.9, image: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"ood": ood, "gene_coverage": genes, "image_coverage": image, "label": "normal"})


def test_a_section_unlike_the_training_tissue_has_a_warning(config: DetectorConfig) -> None:
    spots = table(ood=[1.4, 0.3, 2.0])
    assert is_out_of_distribution(spots)
    first = collect_warnings("Z9", spots, config, genes=True)[0]
    assert "67%" in first
    assert "unlike the training tissue" in first


def test_a_few_spots_unlike_the_training_tissue_give_no_warning(config: DetectorConfig) -> None:
    spots = table(ood=[0.4] * 9 + [2.0])
    assert not is_out_of_distribution(spots)
    assert not any("unlike" in warning for warning in collect_warnings("Z9", spots, config, genes=True))


@pytest.mark.parametrize(
    ("genes", "reason"),
    [(True, "too few of the detector's genes were measured"), (False, "the section has no genes")],
)
def test_a_detector_of_both_modalities_gives_the_reason_for_not_using_genes(
    config: DetectorConfig, reason: str, *, genes: bool
) -> None:
    both = config.model_copy(update={"image_dim": 8})
    warnings = collect_warnings("Z9", table(ood=[0.2], genes=0.0, image=1.0), both, genes=genes)
    assert f"called from the image alone: {reason}" in warnings


@pytest.mark.parametrize(("far", "mentioned"), [(19, ""), (20, "20%"), (44, "44%"), (50, "50%")])
def test_a_part_unlike_the_training_tissue_is_mentioned_long_before_it_is_most_of_the_section(
    config: DetectorConfig, far: int, mentioned: str
) -> None:
    warnings = collect_warnings("Z9", table(ood=[2.0] * far + [0.4] * (100 - far)), config, genes=True)
    about = [warning for warning in warnings if "unlike the training tissue" in warning]
    assert [warning.split()[0] for warning in about] == [mentioned] * bool(mentioned)
    assert not any("do not rely" in warning for warning in about)


@pytest.mark.parametrize(
    ("reads_image", "um_per_px", "reason"),
    [
        (False, 0.5, "the detector does not read H&E"),
        (False, 0.0, ""),
        (True, 0.0, "the section has no image"),
        (True, 0.5, "the section has no embeddings from 'uni'"),
    ],
)
def test_calls_from_genes_alone_have_the_reason_where_there_might_have_been_an_image(
    plugins: Plugins, um_per_px: float, reason: str, *, reads_image: bool
) -> None:
    detector = made_detector(plugins, patients="AB", licence="MIT" if reads_image else "").config
    warnings = collect_warnings("Z9", table(ood=[0.2]), detector, genes=True, slide_um_per_px=um_per_px)
    about = [warning for warning in warnings if "alone" in warning]
    assert about == [f"called from genes alone: {reason}"] * bool(reason)


@pytest.mark.parametrize(
    ("patients", "method", "warned"),
    [("A", "prior", "one patient trained the detector"), ("A", "none", "could not be calibrated"), ("AB", "prior", "")],
)
def test_calls_of_a_detector_that_one_patient_trained_have_one_warning(
    plugins: Plugins, patients: str, method: str, warned: str
) -> None:
    detector = made_detector(plugins, patients=patients).config
    records = {name: record.model_copy(update={"method": method}) for name, record in detector.calibrations.items()}
    warnings = collect_warnings(
        "Z9", table(ood=[0.2]), detector.model_copy(update={"calibrations": records}), genes=True
    )
    about = [warning for warning in warnings if "patient" in warning]
    assert len(about) == bool(warned)
    assert all(warned in warning for warning in about)


def test_calls_on_a_training_section_have_a_warning(config: DetectorConfig) -> None:
    warnings = collect_warnings(config.trained_on[0].id, table(ood=[0.2]), config, genes=True)
    assert any("trained on this section" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("name", "content", "same"),
    [
        ("T", ("counts:1",), True),
        ("renamed", ("counts:1",), True),
        ("renamed", ("slide:2",), True),
        ("T", ("counts:3", "slide:4"), False),
        ("T", (), True),
    ],
)
def test_a_training_section_is_known_by_what_was_measured_and_not_by_its_name(
    config: DetectorConfig, name: str, content: tuple[str, ...], *, same: bool
) -> None:
    trained = config.trained_on[0].model_copy(update={"id": "T", "content": ("counts:1", "slide:2")})
    detector = config.model_copy(update={"trained_on": (trained,)})
    assert ("trained on this section" in training_overlap(name, "X", detector, content)) is same


def test_calls_on_a_training_patient_have_a_warning(config: DetectorConfig) -> None:
    trained = config.trained_on[0]
    warnings = collect_warnings("Z9", table(ood=[0.2]), config, genes=True, patient=trained.patient)
    assert any(f"a patient of the same name ({trained.patient}: {trained.id})" in warning for warning in warnings)
    others = collect_warnings("Z9", table(ood=[0.2]), config, genes=True, patient="X")
    assert not any("trained" in warning for warning in others)


@pytest.mark.parametrize(
    ("um_per_px", "image", "warned"), [(0.0, 1.0, False), (14.0, 1.0, False), (28.0, 1.0, True), (28.0, 0.0, False)]
)
def test_a_slide_coarser_than_the_encoder_needs_has_a_warning_if_the_image_was_used(
    plugins: Plugins, um_per_px: float, image: float, *, warned: bool
) -> None:
    detector = made_detector(plugins, licence="MIT", patients="AB").config
    spots = table(ood=[0.2], image=image)
    warnings = collect_warnings("Z9", spots, detector, genes=True, slide_um_per_px=um_per_px)
    assert any("28 um/px, coarser than the 14 um/px that 'uni' needs" in warning for warning in warnings) == warned


def test_a_detector_of_genes_alone_needs_no_resolution(config: DetectorConfig) -> None:
    warnings = collect_warnings("Z9", table(ood=[0.2], image=1.0), config, genes=True, slide_um_per_px=28.0)
    assert not any("um/px" in warning for warning in warnings)


def called(found: CopyNumber, *, cancer: int, spots: int = 100) -> pd.DataFrame:
    """Return calls of which some are cancer, with what copy number says."""
    spots_table = pd.DataFrame(
        {"label": np.where(np.arange(spots) < cancer, "cancer", "normal"), "ood": 0.2, "gene_coverage": 1.0}
    ).assign(image_coverage=0.0)
    found.attach(spots_table)
    return spots_table


def test_many_spots_called_cancer_without_copy_number_evidence_have_a_warning(config: DetectorConfig) -> None:
    (caution,) = cautions(called(NO_EVIDENCE, cancer=26))
    assert caution.startswith("26% of the spots are called cancer, but there is no copy-number evidence (Z -0.6)")
    assert collect_warnings("Z9", called(NO_EVIDENCE, cancer=26), config, genes=True)[0] == caution


@pytest.mark.parametrize("found", [SUPPORTED, replace(NO_EVIDENCE, z=4.0), UNKNOWN, NO_EVIDENCE])
def test_there_is_no_warning_with_evidence_without_knowledge_or_with_few_spots_called(found: CopyNumber) -> None:
    assert cautions(called(found, cancer=25 if found is NO_EVIDENCE else 90)) == []


def test_where_detector_and_prior_disagree_copy_number_says_whose_tissue_it_supports() -> None:
    spots = called(replace(SUPPORTED, detector_z=1.0), cancer=10)
    Findings(modalities="genes", agreement={"genes": 0.1}).attach(spots)
    disagreement, about = cautions(spots)
    assert disagreement.startswith("detector and prior disagree")
    assert about.startswith("copy number supports the tissue that the gene lists find, not the tissue")


def test_a_section_without_spots_has_no_warning_about_copy_number() -> None:
    assert cautions(called(NO_EVIDENCE, cancer=0, spots=0)) == []
