"""Copy number of training sections, on sections whose clone is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stand_ins.aneuploid import aneuploid_expression, aneuploid_section
from stand_ins.detector import made_detector

from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.training_copy_number import copy_number_note, training_copy_number
from spacrd_core.plugins import Plugins

GAINS = {"1q": 2.0, "8q": 2.0, "17q": 2.0, "20q": 2.0}


@pytest.fixture(scope="module")
def gained() -> SectionData:
    return aneuploid_section(aneuploid_expression(GAINS))


def test_every_section_with_genes_has_its_verdict_and_changed_arms(gained: SectionData) -> None:
    even = replace(aneuploid_section(aneuploid_expression({})), id="S2")
    found = training_copy_number([gained, even, replace(gained, id="S3", expression=None)])
    assert {name: section["verdict"] for name, section in found.items()} == {"S1": "supported", "S2": "no evidence"}
    assert set(GAINS) <= {arm["arm"] for arm in found["S1"]["arms"]}
    assert found["S2"]["arms"] == []


def test_labels_are_not_read(gained: SectionData) -> None:
    others = replace(gained, labels=np.roll(gained.labels, 7))
    assert training_copy_number([others]) == training_copy_number([gained])


def test_a_section_that_was_trained_on_without_the_prior_is_read_by_the_same_lists(gained: SectionData) -> None:
    assert training_copy_number([replace(gained, evidence=None)]) == training_copy_number([gained])


def test_a_detector_keeps_it_with_its_metrics(plugins: Plugins, tmp_path: Path) -> None:
    detector = made_detector(plugins)
    assert {section["verdict"] for section in detector.metrics["copy_number"].values()} == {"unknown"}
    assert list(detector.metrics["copy_number"]) == ["A1", "B1", "C1"]
    detector.save(tmp_path / "detector")
    loaded = Detector.load(tmp_path / "detector", heads=plugins.heads, device=torch.device("cpu"))
    assert loaded.metrics["copy_number"] == detector.metrics["copy_number"]


def test_a_long_list_of_sections_is_cut() -> None:
    found = {f"S{number}": {"verdict": "unknown"} for number in range(12)}
    assert copy_number_note(found) == "0 of 12 training sections (unknown: S0 S1 S2 S3 S4 and 7 more)"
