from collections.abc import Callable

import numpy as np
import pytest

from spacrd_core.results.report.viewport import he_image, scale_bar, section_viewport
from spacrd_core.results.result import SectionResult


@pytest.mark.parametrize(
    ("width", "um", "text"),
    [(6400.0, 1000, "1 mm"), (1000.0, 200, "200 µm"), (9000.0, 2000, "2 mm"), (40.0, 10, "10 µm")],
)
def test_a_scale_bar_is_a_round_length_of_at_most_a_quarter_of_the_width(width: float, um: float, text: str) -> None:
    assert scale_bar(width) == (um, text)


def test_the_image_shows_the_tissue_under_the_spots(make_result: Callable[..., SectionResult]) -> None:
    slide = np.full((300, 300, 3), 255, dtype=np.uint8)
    result = make_result(thumbnail=slide)
    x, y = (int(value * result.um_per_px / 10) for value in result.points[300])  # the thumbnail has 10 um/px
    slide[y - 4 : y + 5, x - 4 : x + 5] = (10, 20, 30)
    view = section_viewport(result)
    photo = np.asarray(he_image(result, view, longest_px=500))
    zoom = 500 / max(view.width, view.height)
    column, row = ((result.points[300] - [view.left, view.top]) * zoom).astype(int)
    assert photo[row, column].tolist() == [10, 20, 30]
    assert photo[row, column - 60].tolist() == [255, 255, 255]


def test_the_image_is_white_where_the_slide_ends_and_without_a_slide(
    make_result: Callable[..., SectionResult],
) -> None:
    for result in (make_result(thumbnail=None), make_result(thumbnail=np.zeros((10, 10, 3), dtype=np.uint8))):
        photo = np.asarray(he_image(result, section_viewport(result), longest_px=200))
        assert photo[-1, -1].tolist() == [255, 255, 255]
        assert max(photo.shape) == 200


def test_the_image_of_a_cropped_thumbnail_matches_that_of_the_whole_slide(
    make_result: Callable[..., SectionResult],
) -> None:
    slide = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)  # 10 um/px
    whole = make_result(side=8, thumbnail=slide)
    part = make_result(side=8, thumbnail=slide[3:200, 2:250], thumbnail_corner_um=(20.0, 30.0))
    first, second = (np.asarray(he_image(result, section_viewport(result), longest_px=100)) for result in (whole, part))
    np.testing.assert_allclose(first, second, atol=2)
