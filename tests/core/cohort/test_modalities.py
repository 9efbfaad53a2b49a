import pytest

from spacrd_core.cohort.modalities import MODALITIES, join_modalities, subsets


@pytest.mark.parametrize("modalities", MODALITIES)
def test_modalities_are_joined_to_a_name(modalities: str) -> None:
    assert join_modalities(genes="genes" in modalities, image="image" in modalities) == modalities


def test_without_modalities_the_name_is_empty() -> None:
    assert join_modalities(genes=None, image=False) == ""


def test_the_widest_set_comes_first() -> None:
    assert subsets("image+genes") == ("image+genes", "genes", "image")
    assert subsets("image") == ("image",)
