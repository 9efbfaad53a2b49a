"""Suggested spots have high scores and are spread over the tissue."""

import numpy as np
from scipy.spatial.distance import pdist

from spacrd_core.suggestion.choose import choose_spread

SIDE, PITCH_UM = 20, 100.0
XY_UM = np.column_stack(np.divmod(np.arange(SIDE**2), SIDE)) * PITCH_UM


def test_the_spot_of_the_highest_score_is_the_first() -> None:
    scores = np.random.default_rng(0).random(SIDE**2)
    assert choose_spread(scores, XY_UM, 5, pitch_um=PITCH_UM)[0] == scores.argmax()


def test_a_cluster_of_high_scores_gives_one_spot_before_the_rest_of_the_tissue_has_some() -> None:
    scores = np.full(SIDE**2, 0.5)
    scores[np.linalg.norm(XY_UM, axis=1) < 3 * PITCH_UM] = 1.0
    chosen = choose_spread(scores, XY_UM, 9, pitch_um=PITCH_UM)
    assert (scores[chosen] == 1.0).sum() == 1


def test_equal_scores_are_spread_evenly() -> None:
    chosen = choose_spread(np.ones(SIDE**2), XY_UM, 16, pitch_um=PITCH_UM)
    even_um = PITCH_UM * SIDE / 4
    assert pdist(XY_UM[chosen]).min() > 0.6 * even_um


def test_far_from_others_a_high_score_wins() -> None:
    scores = np.full(SIDE**2, 0.1)
    scores[[0, SIDE - 1, SIDE * (SIDE - 1)]] = 1.0
    assert {*choose_spread(scores, XY_UM, 3, pitch_um=PITCH_UM)} == {0, SIDE - 1, SIDE * (SIDE - 1)}


def test_no_spot_is_chosen_twice_and_all_are_if_there_are_too_few() -> None:
    chosen = choose_spread(np.zeros(4), XY_UM[:4], 9, pitch_um=PITCH_UM)
    assert sorted(chosen) == [0, 1, 2, 3]
    assert len(choose_spread(np.zeros(0), XY_UM[:0], 9, pitch_um=PITCH_UM)) == 0
