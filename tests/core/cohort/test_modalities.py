from __future__ import annotations

import pytest

from spacrd_core.cohort.modalities import VIEWS, view_of, views_within


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_named_by_its_modalities(view: str) -> None:
    assert view_of(genes="genes" in view, image="image" in view) == view


def test_nothing_measured_is_no_view() -> None:
    assert view_of(genes=None, image=False) == ""


def test_the_widest_view_comes_first() -> None:
    assert views_within("image+genes") == ("image+genes", "genes", "image")
    assert views_within("image") == ("image",)
