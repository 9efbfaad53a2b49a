"""The numbers of a section at every threshold are those of its regions and of the rule for uncertain spots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from spacrd_core.results.report.threshold_curves import STEPS, threshold_curves

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.results.result import SectionResult


def test_numbers_at_a_threshold_follow_the_rule_of_calls(make_result: Callable[..., SectionResult]) -> None:
    spots = make_result(side=12).spots
    spots = spots.assign(doubtful=np.arange(144) % 10 == 0)
    spots.loc[spots.index[:3], "probability"] = np.nan
    spots.loc[spots.index[:3], "label"] = "uncertain"
    result = make_result(side=12, spots=spots)
    curves = threshold_curves(result)
    for at in (0, 20, 43, 80, STEPS):
        threshold = at / STEPS
        distance = spots["probability"] - threshold
        clear = ~spots["doubtful"] & (distance.abs() >= spots["spread"])
        assert curves["cancer"][at] == int((clear & (distance >= 0)).sum())
        assert curves["uncertain"][at] == int((~clear).sum())
        regions = result.tessellation.regions(np.nan_to_num(result.probability, nan=-1.0), threshold)
        area = sum(region.outline.area for region in regions) * (result.um_per_px / 1000) ** 2
        assert curves["mm2"][at] == pytest.approx(area, rel=1e-3)


def test_a_section_without_regions_has_no_area_at_any_threshold(make_result: Callable[..., SectionResult]) -> None:
    odd = make_result(side=6, spots=make_result(side=6).spots.assign(ood=2.0))
    assert threshold_curves(odd)["mm2"] is None
    assert threshold_curves(make_result(spots=make_result().spots[:0]))["cancer"] == [0] * (STEPS + 1)
