import pytest

from spacrd_core.results.report.reliability_view import (
    DIAGRAM_SIZE,
    DOT_RADII,
    build_reliability_views,
    platforms_without_held_out,
)

RECORD = {
    "patients": 2,
    "ece": 0.05,
    "spots": [400, 0, 100],
    "probability": [0.1, None, 0.75],
    "cancer": [0.25, None, 1.0],
}


def test_bins_are_placed_by_probability_and_fraction_and_empty_ones_are_omitted() -> None:
    (view,) = build_reliability_views({"visium": RECORD})
    assert (view.platform, view.patients, view.ece) == ("visium", 2, 0.05)
    assert [(point.x, point.y) for point in view.bins] == [
        (0.1 * DIAGRAM_SIZE, 0.75 * DIAGRAM_SIZE),
        (0.75 * DIAGRAM_SIZE, 0.0),
    ]
    assert view.line == "40.0,300.0 300.0,0.0"


def test_the_bin_with_most_spots_has_the_largest_dot_and_dots_scale_with_spots() -> None:
    (view,) = build_reliability_views({"visium": RECORD})
    smallest, largest = DOT_RADII
    assert [point.radius for point in view.bins] == pytest.approx([largest, smallest + (largest - smallest) / 2])


def test_platforms_without_a_held_out_patient_are_listed_once() -> None:
    views = build_reliability_views({"visium": RECORD})
    assert platforms_without_held_out(["xenium", "visium", "st", "xenium"], views) == ["st", "xenium"]
    assert platforms_without_held_out(["visium"], views) == []
