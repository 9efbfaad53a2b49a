import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacrd_core.results.regions import tessellate


def lattice(kind: str, side: int, pitch: float = 1.0) -> np.ndarray:
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    if kind == "square":
        return np.column_stack([column, row]) * pitch
    return np.column_stack([column + 0.5 * (row % 2), row * np.sqrt(3) / 2]) * pitch


@pytest.mark.parametrize(("kind", "cell"), [("square", 1.0), ("hex", np.sqrt(3) / 2)])
@pytest.mark.parametrize("side", [2, 3, 12])
def test_every_spot_of_a_lattice_represents_the_same_area_even_at_the_edge(kind: str, cell: float, side: int) -> None:
    tessellation = tessellate(lattice(kind, side, 137.3) + 5000, 137.3)
    np.testing.assert_allclose(tessellation.areas, cell * 137.3**2, rtol=1e-6)


@pytest.mark.parametrize(("kind", "cell"), [("square", 1.0), ("hex", np.sqrt(3) / 2)])
@pytest.mark.parametrize("degrees", [0.9, 30, 45, 90])
def test_a_turned_lattice_has_the_cells_and_neighbours_of_a_straight_one(
    kind: str, cell: float, degrees: float
) -> None:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    straight = lattice(kind, 9, 137.3)
    tessellation = tessellate(straight @ np.array([[cosine, sine], [-sine, cosine]]) + 9000, 137.3)
    np.testing.assert_allclose(tessellation.areas, cell * 137.3**2, rtol=1e-6)
    pairs = {tuple(sorted(pair)) for pair in tessellation.neighbours.tolist()}
    assert pairs == {tuple(sorted(pair)) for pair in tessellate(straight, 137.3).neighbours.tolist()}
    (region,) = tessellation.regions(np.ones(81), 0.5)
    assert region.outline.area == pytest.approx(81 * cell * 137.3**2, rel=1e-6)


@pytest.mark.parametrize("kind", ["square", "hex"])
@pytest.mark.parametrize("jitter", [0.0, 0.08])
def test_the_area_of_a_disc_is_right_within_5_percent(kind: str, jitter: float) -> None:
    points = lattice(kind, 30) + np.random.default_rng(0).normal(0, jitter, (900, 2))
    inside = np.hypot(*(points - points.mean(axis=0)).T) < 9
    (region,) = tessellate(points, 1.0).regions(inside.astype(float), 0.5)
    assert region.outline.area == pytest.approx(np.pi * 81, rel=0.05)
    assert region.spots.tolist() == np.flatnonzero(inside).tolist()


def test_a_single_spot_above_the_threshold_is_no_region_and_two_touching_ones_are() -> None:
    values = np.zeros(25)
    values[12] = 1
    tessellation = tessellate(lattice("square", 5), 1.0)
    assert tessellation.regions(values, 0.5) == []
    values[13] = 0.6
    assert [region.spots.tolist() for region in tessellation.regions(values, 0.5)] == [[12, 13]]
    assert tessellation.regions(values, 0.7) == []


def test_spots_that_meet_in_a_corner_do_not_touch() -> None:
    values = np.zeros(25)
    values[[12, 18]] = 1
    assert tessellate(lattice("square", 5), 1.0).regions(values, 0.5) == []


@pytest.mark.parametrize("reason", ["missing", "normal"])
def test_a_missing_or_normal_spot_inside_a_region_stays_a_hole(reason: str) -> None:
    points, values = lattice("square", 5), np.ones(25)
    if reason == "missing":
        points, values = np.delete(points, 12, axis=0), np.ones(24)
    else:
        values[12] = 0
    (region,) = tessellate(points, 1.0).regions(values, 0.5)
    assert len(region.outline.interiors) == 1
    assert region.outline.area == pytest.approx(24)


def test_regions_come_largest_first_and_do_not_join_across_a_gap() -> None:
    points = np.vstack([lattice("square", 2), lattice("square", 3) + 10])
    regions = tessellate(points, 1.0).regions(np.ones(13), 0.5)
    assert [len(region.spots) for region in regions] == [9, 4]


@pytest.mark.parametrize("count", [0, 1])
def test_no_spots_or_one_make_no_region(count: int) -> None:
    tessellation = tessellate(np.zeros((count, 2)), 1.0)
    assert tessellation.areas.tolist() == pytest.approx([1.0] * count)
    assert tessellation.regions(np.ones(count), 0.5) == []


def test_a_spot_without_a_value_is_in_no_region_and_affects_no_other() -> None:
    values = np.ones(9)
    values[4] = np.nan
    (region,) = tessellate(lattice("square", 3), 1.0).regions(values, 0.5)
    assert 4 not in region.spots
    assert len(region.spots) == 8


@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["hex", "square"]), jitter=st.sampled_from([0, 0.02, 0.15]))
@settings(max_examples=40, deadline=None)
def test_outlines_are_valid_and_hold_the_cells_whose_level_reaches_the_threshold(
    seed: int, kind: str, jitter: float
) -> None:
    random = np.random.default_rng(seed)
    points = lattice(kind, 9, 50) + random.normal(0, max(jitter * 50, 1e-9), (81, 2))
    points = points[random.random(81) > 0.15]
    values = random.random(len(points))
    tessellation = tessellate(points, 50)
    for threshold in (0.3, 0.6):
        regions = tessellation.regions(values, threshold)
        members = tessellation.region_levels(values) >= threshold
        assert all(region.outline.is_valid for region in regions)
        assert sorted(np.concatenate([[], *(region.spots for region in regions)])) == np.flatnonzero(members).tolist()
        assert sum(region.outline.area for region in regions) == pytest.approx(
            tessellation.areas[members].sum(), rel=1e-6
        )


def test_edges_around_a_region_are_its_outline() -> None:
    points = lattice("hex", 8)
    inside = np.hypot(*(points - points.mean(axis=0)).T) < 2.5
    tessellation = tessellate(points, 1.0)
    (region,) = tessellation.regions(inside.astype(float), 0.5)
    within = np.append(inside, False)[tessellation.edge_spots]  # -1 (no spot) selects the last entry: outside
    border = tessellation.edges[within[:, 0] != within[:, 1]]
    length = np.hypot(border[:, 2] - border[:, 0], border[:, 3] - border[:, 1]).sum()
    assert length == pytest.approx(region.outline.length)
