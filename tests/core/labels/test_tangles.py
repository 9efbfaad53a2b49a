"""Outlines that cross too often are refused, and those of people and of segmentations are not."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from spacrd_core.errors import LabelError
from spacrd_core.labels.outlines import repaired
from spacrd_core.labels.tangles import require_untangled

FILE = Path("a.geojson")


def test_an_outline_of_random_corners_is_not_repaired() -> None:
    corners = np.random.default_rng(1).random((300, 2)) * 1000
    with pytest.raises(LabelError, match=r"the outlines of a.geojson cross themselves or each other more than \d"):
        repaired([shapely.Polygon(corners)], FILE)


def test_a_bow_tie_is_repaired() -> None:
    shapes, notes = repaired([shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])], FILE)
    assert shapes[0].area == pytest.approx(2.0)
    assert len(notes) == 1


@pytest.mark.slow
def test_bands_across_bands_are_refused_because_every_crossing_is_a_hole() -> None:
    bands = [shapely.box(0, number, 3000, number + 0.5) for number in range(3000)]
    across = [shapely.box(number, 0, number + 0.5, 3000) for number in range(3000)]
    with pytest.raises(LabelError, match="cross"):
        require_untangled(np.array([*bands, *across]), FILE)


def test_cells_that_overlap_their_neighbours_pass_and_so_does_nothing() -> None:
    places = np.indices((60, 60)).reshape(2, -1).T * 1.8
    require_untangled(shapely.buffer(shapely.points(places), 1.0, quad_segs=4), FILE)
    require_untangled(np.array([], dtype=object), FILE)
