"""Thresholds come from the detector, the user, or the section's scores; never from its labels."""

import numpy as np
import pytest
from scipy.special import expit

from spacrd_core.errors import ConfigError, DetectorError
from spacrd_core.model.thresholds import RULES, ThresholdRule, _crossing


def two_groups(apart: float, *, spread: float = 1.0, cancer: int = 200) -> np.ndarray:
    rng = np.random.default_rng(0)
    return expit(np.concatenate([rng.normal(-apart / 2, spread, 400), rng.normal(apart / 2, spread, cancer)]))


def threshold(rule: str, probabilities: np.ndarray) -> float:
    return ThresholdRule.parse(rule).find(probabilities, 0.37, "X")


def why_not_gmm(probabilities: np.ndarray) -> str:
    with pytest.raises(DetectorError) as refused:
        threshold("gmm", probabilities)
    assert "--threshold own" in refused.value.hint
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("own", ThresholdRule("own")),
        ("0.5", ThresholdRule("fixed", 0.5)),
        (".25", ThresholdRule("fixed", 0.25)),
        ("GMM", ThresholdRule("gmm")),
        ("prevalence=0.3", ThresholdRule("prevalence", 0.3)),
        (" prevalence = .3", ThresholdRule("prevalence", 0.3)),
    ],
)
def test_a_rule_is_read_from_text(text: str, rule: ThresholdRule) -> None:
    assert ThresholdRule.parse(text) == rule


@pytest.mark.parametrize(
    "text",
    ["", "owm", "0", "1", "1.5", "-0.2", "nan", "gmm=2", "own=", "prevalence", "prevalence=", "prevalence=30", "p=.3"],
)
def test_unknown_text_is_an_error_that_lists_the_rules(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ThresholdRule.parse(text)
    assert f"threshold rule '{text}'" in str(refused.value)
    assert refused.value.hint == f"--threshold {RULES}"


def test_the_detectors_own_and_a_number_do_not_look_at_the_section() -> None:
    for scores in (np.array([0.9]), two_groups(6.0)):
        assert threshold("own", scores) == 0.37
        assert threshold("0.62", scores) == 0.62


@pytest.mark.parametrize("share", [0.1, 0.3, 0.95])
def test_prevalence_calls_that_share_of_the_spots(share: float) -> None:
    scores = two_groups(6.0)
    assert (scores >= threshold(f"prevalence={share}", scores)).mean() == pytest.approx(share)


def test_prevalence_calls_one_spot_at_least() -> None:
    scores = np.array([0.1, 0.2, 0.3])
    assert (scores >= threshold("prevalence=0.01", scores)).sum() == 1


def test_two_gaussians_meet_between_their_groups_however_scores_are_shifted() -> None:
    scores = two_groups(8.0)
    assert 0.3 < threshold("gmm", scores) < 0.7
    shifted = expit(np.log(scores / (1 - scores)) + 2)
    called = shifted >= threshold("gmm", shifted)
    assert 195 < called.sum() < 205


def test_certain_probabilities_do_not_stop_two_gaussians() -> None:
    scores = two_groups(8.0)
    scores[:3], scores[-3:] = 0.0, 1.0
    assert 0.1 < threshold("gmm", scores) < 0.9


def test_one_group_of_spots_is_not_separated() -> None:
    assert "one Gaussian fits the log odds of section 'X'" in why_not_gmm(two_groups(0.0))


def test_a_skewed_group_of_spots_is_not_separated() -> None:
    assert "overlap too far" in why_not_gmm(expit(np.random.default_rng(0).gamma(2.0, 1.0, 500) - 6))


def test_few_or_equal_scores_are_not_separated() -> None:
    for scores in (np.linspace(0.1, 0.9, 29), np.full(100, 0.2)):
        assert "too few distinct scores" in why_not_gmm(scores)


def test_two_kinds_of_one_class_are_not_separated() -> None:
    scores = two_groups(8.0)
    assert "on one side of the detector's threshold, 0.37" in why_not_gmm(expit(np.log(scores / (1 - scores)) - 6))


def test_gaussians_meet_once_between_their_means_or_not_at_all() -> None:
    means = np.array([-2.0, 2.0])
    assert _crossing(np.array([0.5, 0.5]), means, np.array([1.0, 1.0])) == pytest.approx(0, abs=0.01)
    few_within_many = np.array([0.999, 0.001]), np.array([0.0, 8.0]), np.array([4.0, 0.2])
    assert _crossing(*few_within_many) is None


def test_a_rule_is_described_in_words() -> None:
    descriptions = {
        text: ThresholdRule.parse(text).describe("the detector's") for text in ("own", "0.4", "gmm", "prevalence=.3")
    }
    assert descriptions == {
        "own": "the detector's",
        "0.4": "given by the user",
        "gmm": "crossing of two Gaussians fitted to the section's log odds",
        "prevalence=.3": "the 30 % most probable spots of the section, as given by the user",
    }
