"""Distances from the border of regions of known shape, on the lattices of the platforms."""

from collections.abc import Callable

import numpy as np
import pytest
import shapely

from spacrd_core.detection.bands import Bands
from spacrd_core.results.margins import border_lines
from spacrd_core.results.report.band_table import band_rows, no_border_reason
from spacrd_core.results.result import SectionResult

Make = Callable[..., SectionResult]
PITCH_UM = 100.0


def called(make: Make, inside: Callable[[np.ndarray, np.ndarray], np.ndarray], **fields: object) -> SectionResult:
    """Return a section with the spots called cancer whose positions in pitches, from the first spot, are inside."""
    result = make(**fields)
    x, y = (result.positions[["x_um", "y_um"]].to_numpy() / PITCH_UM - 2).T
    result.spots["probability"] = np.where(inside(x, y), 0.9, 0.1)
    return result


def test_distances_from_a_straight_border_are_negative_inside_and_run_from_halfway_between_spots(
    make_result: Make,
) -> None:
    result = called(make_result, lambda x, _: x < 3.5, lattice="square", side=10)
    x = result.positions["x_um"].to_numpy() / PITCH_UM - 2
    np.testing.assert_allclose(result.margins.distance_um, (x - 3.5) * PITCH_UM, atol=1e-6)


@pytest.mark.parametrize("degrees", [0.0, 31.0])
@pytest.mark.parametrize("lattice", ["square", "hex"])
def test_distances_from_a_round_region_are_right_to_half_a_spot(
    make_result: Make, lattice: str, degrees: float
) -> None:
    for radius in (3.2, 5.9, 9.3):
        result = called(make_result, lambda *_: np.zeros(26 * 26, dtype=bool), lattice=lattice, degrees=degrees)
        points = result.positions[["x_um", "y_um"]].to_numpy()
        true = np.hypot(*(points - points.mean(axis=0) - 17).T) - radius * PITCH_UM
        result.spots["probability"] = np.where(true < 0, 0.9, 0.1)
        error = np.abs(result.margins.distance_um - true)
        assert np.median(error) < 0.3 * PITCH_UM
        assert np.percentile(error, 95) < 0.5 * PITCH_UM


def test_the_edge_of_the_tissue_is_no_border(make_result: Make) -> None:
    whole = called(make_result, lambda x, _: x > -1, side=6)
    assert whole.regions
    assert np.isnan(whole.margins.distance_um).all()
    assert whole.margins.band.isna().all()
    assert band_rows(whole) == []
    assert "edge of the tissue" in no_border_reason(whole)
    half = called(make_result, lambda x, _: x < 1.5, lattice="square", side=10)
    assert half.margins.distance_um[0] == pytest.approx(-150)  # in the corner of the section


def test_without_a_region_or_with_a_single_spot_alone_there_is_no_distance(make_result: Make) -> None:
    for inside in (lambda x, _: x < -1, lambda x, y: (x == 3) & (y == 3)):
        result = called(make_result, inside, lattice="square", side=7)
        assert np.isnan(result.margins.distance_um).all()
        assert no_border_reason(result) == "no cancer region"
    unlike = make_result(spots=make_result().spots.assign(ood=2.0))
    assert np.isnan(unlike.margins.distance_um).all()
    assert no_border_reason(unlike) == ""


def test_the_nearest_of_several_borders_counts_and_a_hole_has_one(make_result: Make) -> None:
    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return ((x < 2.5) & ~((x == 1) & (y == 5))) | (x > 9.5)

    result = called(make_result, inside, lattice="square", side=12)
    distance = {
        (x, y): um
        for (x, y), um in zip(np.rint(result.points / 200 - 2).tolist(), result.margins.distance_um, strict=True)
    }
    assert distance[5, 0] == pytest.approx(250)
    assert distance[8, 0] == pytest.approx(150)
    assert 0 < distance[1, 5] <= 50
    assert -110 < distance[0, 4] < -50
    single = called(make_result, lambda x, y: inside(x, y) | ((x == 6) & (y == 6)), lattice="square", side=12)
    np.testing.assert_allclose(single.margins.distance_um, result.margins.distance_um)  # one spot is no region


def test_a_spot_of_unknown_probability_has_no_distance_and_no_border(make_result: Make) -> None:
    result = called(make_result, lambda x, _: x < 3.5, lattice="square", side=10)
    x = result.positions["x_um"].to_numpy() / PITCH_UM - 2
    unknown = np.abs(x - 4) < 0.5
    result.spots.loc[unknown, "probability"] = np.nan
    assert np.isnan(result.margins.distance_um).all()  # the whole border lies in tissue that was not measured
    result.spots.loc[unknown & (result.positions["y_um"].to_numpy() > 600), "probability"] = 0.1
    fresh = make_result("square", side=10, spots=result.spots)
    assert np.isnan(fresh.margins.distance_um).sum() == np.isnan(fresh.probability).sum() > 0


def test_uncertain_spots_are_on_the_side_of_their_probability(make_result: Make) -> None:
    result = called(make_result, lambda x, _: x < 3.5, lattice="square", side=8)
    uncertain = make_result("square", side=8, spots=result.spots.assign(label="uncertain"))
    np.testing.assert_array_equal(uncertain.margins.distance_um, result.margins.distance_um)


def test_bands_divide_all_spots_and_the_area_of_the_section(make_result: Make) -> None:
    bands = Bands(inside_um=(300,), outside_um=(200, 400))
    result = called(make_result, lambda x, _: x < 5.5, lattice="square", side=12, bands=bands)
    rows = band_rows(result)
    assert [row.name for row in rows] == list(bands.descriptions)
    assert [row.spots for row in rows] == [12 * count for count in (3, 3, 2, 2, 2)]
    assert sum(row.mm2 for row in rows) == pytest.approx(1.44)
    assert [row.probability for row in rows] == pytest.approx([0.9, 0.9, 0.1, 0.1, 0.1])
    assert band_rows(make_result(side=26, bands=Bands(inside_um=(5000,))))[0][1:] == (0, 0.0, None)


def test_the_area_leaves_out_what_of_a_square_is_not_on_tissue(make_result: Make) -> None:
    result = called(make_result, lambda x, _: x < 1.5, lattice="square", side=10)
    partial = called(make_result, lambda x, _: x < 1.5, lattice="square", side=10)
    x = partial.positions["x_um"] / PITCH_UM - 2
    partial.adata.obs["tissue_coverage"] = np.where(x < 0.5, 0.25, 1.0)
    partial.adata.obs.iloc[-1, partial.adata.obs.columns.get_loc("tissue_coverage")] = np.nan
    assert result.cancer_mm2 == pytest.approx(0.2)
    assert partial.cancer_mm2 == pytest.approx(0.125)
    assert partial.tissue_mm2[-1] == pytest.approx(0.01)
    np.testing.assert_array_equal(partial.margins.distance_um, result.margins.distance_um)


@pytest.mark.parametrize("lattice", ["square", "hex"])
def test_the_border_is_connected_and_follows_the_outline_inside_the_tissue(make_result: Make, lattice: str) -> None:
    result = make_result(lattice)
    (region,) = result.regions
    inside = np.isin(np.arange(len(result.spots)), region.spots)
    pitch = PITCH_UM / result.um_per_px
    lines = shapely.line_merge(
        shapely.union_all(border_lines(result.tessellation, inside, np.ones_like(inside), pitch))
    )
    assert shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING
    assert lines.is_closed
    assert shapely.hausdorff_distance(lines, region.outline.exterior) < 0.5 * pitch
    assert shapely.Polygon(lines).area == pytest.approx(region.outline.area, rel=0.02)
