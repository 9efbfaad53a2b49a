"""What copy number says is added to a call and never changes it, whatever the detector reads."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse.linalg import LinearOperator
from stand_ins.aneuploid import aneuploid_expression, aneuploid_section, epithelium
from stand_ins.carcinoma import carcinoma_section, stain_features

from spacrd_core.arrays import Array
from spacrd_core.cards import Recipe
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.cohort.smoothing import BilateralFilter
from spacrd_core.copy_number.result import CopyNumber
from spacrd_core.detection.call import call_section
from spacrd_core.detector.built_in import built_in_detector
from spacrd_core.detector.detector import Detector
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.model.decision import DecisionRule
from spacrd_core.plugins import Plugins

PLANTED = {"1q": 2, "8q": 2, "17q": 2}
RULE = DecisionRule()


@pytest.fixture(scope="module")
def tumour() -> SectionData:
    """A section with gained arms, and with an image."""
    stain = stain_features(epithelium(), 0)
    section = aneuploid_section(aneuploid_expression(PLANTED))
    return replace(
        section,
        image=stain,
        stain=stain,
        image_coverage=np.ones(len(stain), dtype=np.float32),
        recipe=Recipe(input_px=8, um_per_px=14.0, dim=stain.shape[1]),
        evidence=None,
    )


@pytest.fixture(scope="module")
def by_image(plugins: Plugins) -> Detector:
    """A detector that reads the H&E alone."""
    sections = [carcinoma_section(name, seed, genes=False, image=True) for seed, name in enumerate("ABC")]
    options = TrainOptions(head="linear", seeds=1)
    trained = train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))
    return Detector.from_training(trained, options, sections, "stain")


def test_the_detector_prior_tells_what_copy_number_says(tumour: SectionData, plugins: Plugins) -> None:
    table = call_section(built_in_detector(plugins), tumour, RULE)
    assert CopyNumber.from_table(table).verdict == "supported"
    assert table["copy_number"].notna().all()


def test_like_tissue_is_found_once_for_evidence_and_copy_number(
    tumour: SectionData, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[float] = []
    fit = BilateralFilter.fit

    def counted(
        xy_um: Array, pitch_um: float, features: Sequence[LinearOperator], *, iterations: int
    ) -> BilateralFilter:
        fitted.append(pitch_um)
        return fit(xy_um, pitch_um, features, iterations=iterations)

    monkeypatch.setattr(BilateralFilter, "fit", counted)
    table = call_section(built_in_detector(plugins), tumour, RULE)
    assert table["copy_number"].notna().all()
    assert len(fitted) == 1


def test_a_detector_of_the_image_alone_has_it_too_and_calls_as_without_genes(
    tumour: SectionData, by_image: Detector
) -> None:
    table, without_genes = (
        call_section(by_image, section, RULE) for section in (tumour, replace(tumour, expression=None))
    )
    assert CopyNumber.from_table(table).verdict == "supported"
    assert CopyNumber.from_table(without_genes).summary == "unknown: the section has no genes"
    columns = [name for name in table if name != "copy_number"]
    pd.testing.assert_frame_equal(table[columns], without_genes[columns])
    assert without_genes["copy_number"].isna().all()
    assert not table["gene_coverage"].any()


def test_the_sections_that_trained_a_detector_are_recorded_with_their_verdicts(
    by_image: Detector, plugins: Plugins, tumour: SectionData
) -> None:
    assert by_image.metrics["copy_number"] == {}, "no section had genes"
    sections = [replace(tumour, id=name, patient=name, image=None, recipe=None) for name in "AB"]
    options = TrainOptions(head="linear", seeds=1)
    trained = train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))
    found = Detector.from_training(trained, options, sections, "").metrics["copy_number"]
    assert {name: record["verdict"] for name, record in found.items()} == {"A": "supported", "B": "supported"}
