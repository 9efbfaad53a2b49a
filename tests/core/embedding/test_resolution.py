"""Whether a slide is fine enough for an encoder."""

import pytest

from spacrd_core.cards import Recipe
from spacrd_core.embedding.resolution import coarse_slides_warning, is_too_coarse
from spacrd_encoders.plugin import STAIN
from spacrd_encoders.uni import UNI


@pytest.mark.parametrize(
    ("um_per_px", "stain", "uni"),
    [
        (0.25, False, False),
        (0.5, False, False),
        (0.55, False, False),
        (1.0, False, True),
        (13.0, False, True),
        (15.0, False, True),
        (25.0, True, True),
    ],
)
def test_a_slide_is_too_coarse_from_halfway_to_the_next_magnification(
    um_per_px: float, *, stain: bool, uni: bool
) -> None:
    assert UNI.recipe
    assert (is_too_coarse(um_per_px, STAIN), is_too_coarse(um_per_px, UNI.recipe)) == (stain, uni)


def test_the_warning_names_the_sections_by_resolution_and_the_encoders_need() -> None:
    recipe = Recipe(input_px=224, um_per_px=0.5, dim=8)
    warning = coarse_slides_warning({"A1": 13.0, "A2": 0.5, "B1": 2.0, "B2": 13.001}, "uni", recipe)
    assert "'uni' needs, which is 0.5 um/px: B1 (2 um/px), A1, B2 (13 um/px);" in warning
    assert "A2" not in warning


def test_fine_slides_and_no_slides_give_no_warning() -> None:
    recipe = Recipe(input_px=224, um_per_px=0.5, dim=8)
    assert coarse_slides_warning({"A1": 0.5}, "uni", recipe) == coarse_slides_warning({}, "uni", recipe) == ""
