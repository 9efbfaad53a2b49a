from __future__ import annotations

import pytest

from spacrd_core.results.report.reliability_view import DOT, SIDE, never_held_out, view_reliability

RECORD = {
    "patients": 2,
    "ece": 0.05,
    "spots": [400, 0, 100],
    "probability": [0.1, None, 0.75],
    "cancer": [0.25, None, 1.0],
}


def test_bins_lie_where_their_probability_and_share_are_and_those_without_spots_are_left_out() -> None:
    (view,) = view_reliability({"visium": RECORD})
    assert (view.platform, view.patients, view.ece) == ("visium", 2, 0.05)
    assert [(found.x, found.y) for found in view.bins] == [(0.1 * SIDE, 0.75 * SIDE), (0.75 * SIDE, 0.0)]
    assert view.line == "40.0,300.0 300.0,0.0"


def test_the_bin_with_most_spots_has_the_largest_dot_and_areas_follow_spots() -> None:
    (view,) = view_reliability({"visium": RECORD})
    least, largest = DOT
    assert [found.radius for found in view.bins] == pytest.approx([largest, least + (largest - least) / 2])


def test_platforms_without_a_held_out_patient_are_named_once() -> None:
    views = view_reliability({"visium": RECORD})
    assert never_held_out(["xenium", "visium", "st", "xenium"], views) == ["st", "xenium"]
    assert never_held_out(["visium"], views) == []
