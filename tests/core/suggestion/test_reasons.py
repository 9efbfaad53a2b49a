"""Why a spot is suggested: near the threshold, judged otherwise by the section itself, or to cover the tissue."""

import numpy as np
import pandas as pd
import pytest

from spacrd_core.suggestion.reasons import DISPUTED, SPREAD, UNCERTAIN, UNLIKE_TRAINING, reasons


def spots(probability: list[float], ood: float = 0.2) -> pd.DataFrame:
    return pd.DataFrame({"probability": probability, "ood": ood}, index=[f"s{n}" for n in range(len(probability))])


def test_uncertainty_is_1_at_the_threshold_and_0_where_the_call_is_sure() -> None:
    found = reasons(spots([0.0, 0.36, 0.6, 0.76, 1.0]), 0.6, None)
    np.testing.assert_allclose(found["uncertainty"], [0, 0.6, 1, 0.6, 0], atol=1e-12)
    assert found["disagreement"].isna().all()
    assert found["reason"].tolist() == [SPREAD, UNCERTAIN, UNCERTAIN, UNCERTAIN, SPREAD]


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_threshold_at_an_end_gives_numbers(threshold: float) -> None:
    found = reasons(spots([0.0, 0.5, 1.0]), threshold, None)
    assert found["score"].between(0, 1).all()
    assert found["uncertainty"].idxmax() == ("s2" if threshold else "s0")


def test_a_spot_that_the_section_judges_otherwise_is_disputed() -> None:
    found = reasons(spots([0.01, 0.02, 0.99], ood=1.5), 0.5, np.array([0.9, 0.1, 0.2]))
    assert found["reason"].tolist() == [
        f"{DISPUTED}; {UNLIKE_TRAINING}",
        f"{DISPUTED}; {UNLIKE_TRAINING}",
        f"{DISPUTED}; {UNLIKE_TRAINING}",
    ]
    np.testing.assert_allclose(found["disagreement"], [2 / 3, 1 / 3, 1 / 3])
