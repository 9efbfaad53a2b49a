"""The alarm for another tissue or staining: a detector that does not agree with what the section says of itself."""

import numpy as np
import pytest

from spacrd_core.prior.agreement import MIN_AGREEMENT, agreement, disagrees


def test_agreement_is_the_correlation_over_spots_whatever_the_scale() -> None:
    rng = np.random.default_rng(0)
    evidence = rng.normal(size=300)
    logit = 3 + 5 * (evidence + rng.normal(size=300))
    assert agreement(logit, evidence) == pytest.approx(np.corrcoef(logit, evidence)[0, 1])
    assert agreement(-logit, evidence) == pytest.approx(-agreement(logit, evidence))


def test_a_logit_that_does_not_vary_does_not_agree() -> None:
    assert agreement(np.full(9, 2.0), np.arange(9.0)) == 0.0


@pytest.mark.parametrize(
    ("agreements", "alarm"),
    [
        ({}, False),
        ({"genes": MIN_AGREEMENT, "image": 0.9}, False),
        ({"genes": 0.9, "image": MIN_AGREEMENT - 0.01}, True),
        ({"genes": -0.9}, True),
    ],
    ids=["not used", "both agree", "one does not", "contrary"],
)
def test_one_modality_that_does_not_agree_is_enough(agreements: dict[str, float], *, alarm: bool) -> None:
    assert disagrees(agreements) == alarm
