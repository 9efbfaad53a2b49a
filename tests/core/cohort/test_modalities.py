import pytest

from spacrd_core.cohort.modalities import MODALITIES, join_modalities, subsets


@pytest.mark.parametrize("view", MODALITIES)
def test_a_view_is_named_by_its_modalities(view: str) -> None:
    assert join_modalities(genes="genes" in view, image="image" in view) == view


def test_nothing_measured_is_no_view() -> None:
    assert join_modalities(genes=None, image=False) == ""


def test_the_widest_view_comes_first() -> None:
    assert subsets("image+genes") == ("image+genes", "genes", "image")
    assert subsets("image") == ("image",)
