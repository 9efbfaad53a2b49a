"""What a reader is told before relying on calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from stand_ins.detector import made_detector

from spacrd_core.results.warnings import cautions, wholly_strange

if TYPE_CHECKING:
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.plugins import Plugins


@pytest.fixture(scope="module")
def config(plugins: Plugins) -> DetectorConfig:
    return made_detector(plugins, patients="AB").config


def table(*, ood: list[float], genes: float = 0.9, image: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"ood": ood, "gene_coverage": genes, "image_coverage": image})


def test_a_section_mostly_beyond_the_training_tissue_is_not_to_be_relied_on(config: DetectorConfig) -> None:
    strange = table(ood=[1.4, 0.3, 2.0])
    assert wholly_strange(strange)
    said = cautions("Z9", strange, config, genes=True)
    assert said[0] == "67% of the spots are unlike the training tissue: do not rely on these calls"


def test_a_few_strange_spots_are_no_caution(config: DetectorConfig) -> None:
    usual = table(ood=[0.4, 0.3, 2.0])
    assert not wholly_strange(usual)
    assert not [said for said in cautions("Z9", usual, config, genes=True) if "unlike" in said]


@pytest.mark.parametrize(
    ("genes", "why"),
    [(True, "too few of the detector's genes were measured"), (False, "the section has no genes")],
)
def test_a_detector_of_both_says_why_it_read_no_genes(config: DetectorConfig, why: str, *, genes: bool) -> None:
    both = config.model_copy(update={"image_dim": 8})
    said = cautions("Z9", table(ood=[0.2], genes=0.0, image=1.0), both, genes=genes)
    assert f"no gene was read: {why}, it is called from the image alone" in said


def test_calls_on_a_training_section_say_nothing_new(config: DetectorConfig) -> None:
    known = config.trained_on[0].id
    wanted = "the detector was trained on this section: its calls here say nothing about new sections"
    assert wanted in cautions(known, table(ood=[0.2]), config, genes=True)


def test_calls_on_a_patient_of_the_training_say_nothing_of_new_patients(config: DetectorConfig) -> None:
    met = config.trained_on[0]
    said = cautions("Z9", table(ood=[0.2]), config, genes=True, patient=met.patient)
    told = (
        f"the detector was trained on patient {met.patient} ({met.id}): its calls here say nothing about new patients"
    )
    assert told in said
    assert not [note for note in cautions("Z9", table(ood=[0.2]), config, genes=True, patient="X") if "trained" in note]
