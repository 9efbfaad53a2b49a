"""What the writers are told of a section's calls, from its table or, where that is older, from the detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from stand_ins.detector import made_detector

from spacrd_core.model.decision import Called
from spacrd_core.results.build import how_called, provenance

if TYPE_CHECKING:
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.plugins import Plugins


@pytest.fixture(scope="module")
def config(plugins: Plugins) -> DetectorConfig:
    return made_detector(plugins, patients="A").config


def test_a_table_says_how_it_was_called_and_an_older_one_was_called_by_the_detectors_own(
    config: DetectorConfig,
) -> None:
    table = pd.DataFrame({"gene_coverage": [0.9], "image_coverage": [0.0]})
    own = config.calibrations["genes"]
    assert how_called(table, config) == Called(own.threshold, own.threshold_rule)
    Called(0.8, "given by the user", 0.1, 0.3).write_on(table)
    assert how_called(table, config) == Called(0.8, "given by the user", 0.1, 0.3)


def test_the_provenance_of_several_sections_says_every_rule_and_how_far_thresholds_differ(
    config: DetectorConfig,
) -> None:
    gmm = [Called(value, "where they meet") for value in (0.61, 0.4, 0.52)]
    assert provenance(config, gmm).threshold_rule == "0.40 to 0.61, where they meet"
    assert provenance(config, [gmm[0], Called(0.5, "own")]).threshold_rule == "0.61, where they meet; 0.50, own"
