import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from stand_ins.copy_number import SUPPORTED, UNKNOWN

from spacrd_core.results.result import SectionResult

UM_PER_PX, TUMOUR_MM = 0.5, 0.9


@pytest.mark.parametrize("lattice", ["hex", "square"])
def test_the_summary_counts_calls_and_measures_the_tumour_in_mm2(
    make_result: Callable[..., SectionResult], lattice: str
) -> None:
    result = make_result(lattice)
    row: dict[str, Any] = result.summary()
    assert (row["section"], row["patient"], row["platform"], row["spots"]) == ("S1", "P1", "visium", 26 * 26)
    assert row["cancer"] + row["normal"] + row["uncertain"] == row["spots"]
    assert row["cancer_mm2"] == pytest.approx(math.pi * TUMOUR_MM**2, rel=0.05)
    assert row["mean_probability"] == pytest.approx(result.spots["probability"].mean())


def test_the_summary_has_what_copy_number_says_as_json(make_result: Callable[..., SectionResult]) -> None:
    for found in (SUPPORTED, UNKNOWN):
        summary = make_result(side=4, copy_number=found).summary()
        assert json.loads(json.dumps(summary["copy_number"], allow_nan=False)) == found.to_dict()


def test_positions_follow_the_order_of_the_calls_not_of_the_section(make_result: Callable[..., SectionResult]) -> None:
    result = make_result()
    reversed_result = make_result(spots=result.spots.iloc[::-1][:10])
    assert reversed_result.positions.index.tolist() == result.spots.index[::-1][:10].tolist()
    assert reversed_result.points[0].tolist() == result.points[-1].tolist()


def test_areas_do_not_depend_on_the_pixel_size_of_the_image(make_result: Callable[..., SectionResult]) -> None:
    fine, coarse = make_result(), make_result(um_per_px=2.0)
    coarse.adata.obs[["x_px", "y_px"]] /= 4
    assert coarse.summary()["cancer_mm2"] == pytest.approx(fine.summary()["cancer_mm2"])


def test_a_section_unlike_the_training_tissue_has_no_regions_and_an_unknown_area(
    make_result: Callable[..., SectionResult],
) -> None:
    unfamiliar = make_result(spots=make_result().spots.assign(ood=2.0))
    assert make_result().regions
    assert not unfamiliar.regions
    assert unfamiliar.cancer_mm2 is None
    assert json.loads(json.dumps(unfamiliar.summary()))["cancer_mm2"] is None
    assert make_result(threshold=0.99).cancer_mm2 == 0


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("degrees", "expected"), [(0, 0), (30, 30), (44, 44), (60, -30), (90, 0), (-100, -10), (180, 0)]
)
def test_the_angle_of_a_lattice_is_found_up_to_quarter_turns_and_mirroring(
    make_result: Callable[..., SectionResult], degrees: int, expected: int, *, mirrored: bool
) -> None:
    result = make_result("square", side=5, degrees=degrees, mirrored=mirrored)
    assert math.degrees(result.angle) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("side", [1, 2])
def test_spots_without_a_lattice_have_no_angle(make_result: Callable[..., SectionResult], side: int) -> None:
    result = make_result("square", side=side, degrees=30)
    result.adata.obs["array_y"] = float("nan") if side == 2 else 1.0
    assert result.angle == 0
    without_array = make_result("square", side=4, degrees=30)
    del without_array.adata.obs["array_x"]
    assert without_array.angle == 0
