"""Tissue that a detector does not know gets no cancer regions, however its spots score."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Make


def test_a_section_wholly_unlike_the_training_tissue_has_no_regions(make_result: Make) -> None:
    usual = make_result()
    assert usual.regions
    assert not replace(usual, spots=usual.spots.assign(ood=2.0)).regions
