"""A spot is called by the threshold; it is uncertain if its set has both classes or the tissue is far from training."""

import numpy as np
import pandas as pd
import pytest

from spacrd_core.errors import DetectorError
from spacrd_core.model.decision import Decision, DecisionRule, labels
from spacrd_core.model.platt import Calibration, calibrate
from spacrd_core.model.thresholds import ThresholdRule

SCORES = np.array([0.05, 0.4, 0.6, 0.95])
NEAR = np.zeros(4)
# Two held-out patients whose nonconformity rises evenly, to 0.7 and to 0.9.
NONCONFORMITY = tuple(tuple(np.linspace(0, most, 101)) for most in (0.7, 0.9))


@pytest.fixture
def calibration() -> Calibration:
    return Calibration(
        weights={"genes": 1.0},
        slopes={"genes": 1.0},
        threshold=0.45,
        threshold_rule="the best",
        nonconformity=NONCONFORMITY,
    )


def test_the_threshold_and_its_rule_are_the_detectors_own_by_default(calibration: Calibration) -> None:
    assert DecisionRule().apply(calibration, SCORES, "X") == Decision(0.45, "the best", 0.1, 0.3)
    rule = DecisionRule(ThresholdRule("prevalence", 0.25), alpha=0.2, label_alpha=0.4)
    description = "the 25 % most probable spots of the section, as given by the user"
    decision = rule.apply(calibration, SCORES, "X")
    assert decision.threshold == pytest.approx(0.775)
    assert decision == Decision(decision.threshold, description, 0.2, 0.4)


def test_a_rule_that_the_section_does_not_allow_is_an_error(calibration: Calibration) -> None:
    with pytest.raises(DetectorError, match="section 'X' has too few distinct scores"):
        DecisionRule(ThresholdRule("gmm")).apply(calibration, SCORES, "X")


def test_sets_and_uncertain_spots_have_separate_levels(calibration: Calibration) -> None:
    rule = DecisionRule(alpha=0.1, label_alpha=0.4)
    assert rule.sets(calibration, SCORES).tolist() == ["normal", "both", "both", "cancer"]
    assert rule.uncertain_mask(calibration, SCORES, NEAR).tolist() == [False] * 4
    assert rule.uncertain_mask(calibration, np.array([0.05, 0.47, 0.53, 0.95]), NEAR).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_tissue_half_as_far_again_as_the_training_tissue_is_uncertain(calibration: Calibration) -> None:
    far = DecisionRule().uncertain_mask(calibration, np.full(3, 0.99), np.array([0.9, 1.4, 1.6]))
    assert far.tolist() == [False, False, True]


def test_without_held_out_patients_there_are_no_sets_and_no_levels() -> None:
    rough = Calibration.none("genes", "no patient could be held out")
    assert DecisionRule().sets(rough, SCORES).tolist() == [None] * 4
    assert not DecisionRule().uncertain_mask(rough, SCORES, NEAR).any()
    assert DecisionRule().apply(rough, SCORES, "X") == Decision(0.5, "0.5, as no patient could be held out")


def test_a_spot_is_uncertain_by_the_mask_and_if_its_spread_crosses_the_threshold() -> None:
    uncertain = np.array([True, False, False, False])
    found = labels(SCORES, 0.5, spread=np.array([0.0, 0.2, 0.05, 0.3]), uncertain=uncertain)
    assert found.tolist() == ["uncertain", "uncertain", "cancer", "cancer"]


def test_calibration_keeps_the_nonconformity_of_every_patient() -> None:
    rng = np.random.default_rng(0)
    labelled = np.arange(90) % 2
    logits = {"genes": rng.normal(2.0 * labelled - 1, 1.0)}
    found = calibrate(logits, labelled, ["A"] * 30 + ["B"] * 30 + ["C"] * 30)
    nonconformity = np.where(labelled == 1, 1 - found.probabilities(logits), found.probabilities(logits)).reshape(3, 30)
    assert np.array(found.nonconformity)[:, 100] == pytest.approx(nonconformity.max(axis=1), abs=2e-6)
    assert np.array(found.nonconformity)[:, 0] == pytest.approx(nonconformity.min(axis=1), abs=2e-6)


def test_the_decision_is_read_back_from_a_table() -> None:
    table, decision = pd.DataFrame({"probability": SCORES}), Decision(0.45, "the best", 0.1, 0.3)
    assert Decision.from_table(table) is None
    decision.attach(table)
    assert Decision.from_table(table) == decision
