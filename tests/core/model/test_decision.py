"""A spot is called by the threshold, and uncertain where either class may be or the tissue is strange."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spacrd_core.errors import DetectorError
from spacrd_core.model.decision import Called, Calling, labels
from spacrd_core.model.platt import Calibration, calibrate
from spacrd_core.model.thresholds import ThresholdRule

SCORES = np.array([0.05, 0.4, 0.6, 0.95])
NEAR = np.zeros(4)
# Two held-out patients whose strangeness rises evenly: to 0.7 in the one, to 0.9 in the other.
STRANGENESS = tuple(tuple(np.linspace(0, most, 101)) for most in (0.7, 0.9))


@pytest.fixture
def calibration() -> Calibration:
    return Calibration(
        shares={"genes": 1.0}, slopes={"genes": 1.0}, threshold=0.45, threshold_rule="the best", strangeness=STRANGENESS
    )


def test_the_threshold_and_its_rule_are_the_detectors_own_unless_another_is_asked_for(calibration: Calibration) -> None:
    assert Calling().how(calibration, SCORES, "X") == Called(0.45, "the best", 0.1, 0.3)
    asked = Calling(ThresholdRule("prevalence", 0.25), alpha=0.2, label_alpha=0.4)
    said = "the section's 25 % most probable spots, as given by the user"
    assert asked.how(calibration, SCORES, "X") == Called(pytest.approx(0.775), said, 0.2, 0.4)


def test_a_rule_that_the_section_does_not_allow_is_no_other_rule(calibration: Calibration) -> None:
    with pytest.raises(DetectorError, match="section 'X' has too few different scores for two Gaussians"):
        Calling(ThresholdRule("gmm")).how(calibration, SCORES, "X")


def test_sets_and_doubt_have_levels_of_their_own(calibration: Calibration) -> None:
    calling = Calling(alpha=0.1, label_alpha=0.4)
    assert calling.sets(calibration, SCORES).tolist() == ["normal", "both", "both", "cancer"]
    assert calling.doubts(calibration, SCORES, NEAR).tolist() == [False] * 4
    assert calling.doubts(calibration, np.array([0.05, 0.47, 0.53, 0.95]), NEAR).tolist() == [False, True, True, False]


def test_tissue_half_as_far_again_as_the_training_reaches_is_doubtful(calibration: Calibration) -> None:
    far = Calling().doubts(calibration, np.full(3, 0.99), np.array([0.9, 1.4, 1.6]))
    assert far.tolist() == [False, False, True]


def test_without_held_out_patients_there_are_no_sets_and_no_levels() -> None:
    rough = Calibration.none("genes", "nobody could be held out")
    assert Calling().sets(rough, SCORES).tolist() == [None] * 4
    assert not Calling().doubts(rough, SCORES, NEAR).any()
    assert Calling().how(rough, SCORES, "X") == Called(0.5, "0.5, as nobody could be held out")


def test_a_spot_is_uncertain_in_doubt_and_where_the_spread_reaches_across_the_threshold() -> None:
    doubtful = np.array([True, False, False, False])
    found = labels(SCORES, 0.5, spread=np.array([0.0, 0.2, 0.05, 0.3]), doubtful=doubtful)
    assert found.tolist() == ["uncertain", "uncertain", "cancer", "cancer"]


def test_calibration_keeps_the_strangeness_of_every_patient() -> None:
    rng = np.random.default_rng(0)
    labelled = np.arange(90) % 2
    logits = {"genes": rng.normal(2.0 * labelled - 1, 1.0)}
    found = calibrate(logits, labelled, ["A"] * 30 + ["B"] * 30 + ["C"] * 30)
    strange = np.where(labelled == 1, 1 - found.probabilities(logits), found.probabilities(logits)).reshape(3, 30)
    assert np.array(found.strangeness)[:, 100] == pytest.approx(strange.max(axis=1), abs=2e-6)
    assert np.array(found.strangeness)[:, 0] == pytest.approx(strange.min(axis=1), abs=2e-6)


def test_how_a_table_was_called_is_read_back_from_it() -> None:
    table, called = pd.DataFrame({"probability": SCORES}), Called(0.45, "the best", 0.1, 0.3)
    assert Called.of(table) is None
    called.write_on(table)
    assert Called.of(table) == called
