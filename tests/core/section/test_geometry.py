import numpy as np
import pytest
import shapely

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import estimate_pitch, fit_affine, footprints, lattice_um_per_px, neighbours
from spacrd_core.section.section import SpotShape


def grid(width: int, height: int, step: float = 1.0) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2) * step


def by_brute_force(xy: np.ndarray, k: int, radius: float) -> list[list[int]]:
    """Return the neighbours from all pairs: itself first, then by distance in nanometres, then by index."""
    distances = np.round(np.linalg.norm(xy[:, None] - xy[None], axis=2) * 1000) / 1000
    return [
        sorted((j for j in range(len(xy)) if distances[i, j] <= radius), key=lambda j: (j != i, distances[i, j], j))[:k]
        for i in range(len(xy))
    ]


def as_lists(indices: np.ndarray, present: np.ndarray) -> list[list[int]]:
    return [list(row[mask]) for row, mask in zip(indices, present, strict=True)]


def test_an_affine_fit_returns_the_map_without_residual() -> None:
    source = grid(4, 5)
    matrix, offset = np.array([[289.7, 3.0], [-2.0, 291.8]]), np.array([-100.0, 40.0])
    fit = fit_affine(source, source @ matrix + offset)
    np.testing.assert_allclose(fit.matrix, matrix)
    np.testing.assert_allclose(fit.offset, offset, atol=1e-9)
    np.testing.assert_allclose(fit.apply(source), source @ matrix + offset)
    assert fit.rms < 1e-9


def test_the_residual_of_a_fit_is_the_rms_distance() -> None:
    source = grid(40, 40)
    noise = np.random.default_rng(0).normal(scale=2.0, size=source.shape)
    assert fit_affine(source, 10 * source + noise).rms == pytest.approx(2.0 * np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("spots", [np.zeros((0, 2)), grid(2, 1), grid(9, 1), grid(1, 9) + 1e6])
def test_spots_on_one_line_cannot_be_fitted(spots: np.ndarray) -> None:
    with pytest.raises(GeometryError, match="cannot be fitted"):
        fit_affine(spots, spots)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 2])
def test_um_per_px_follows_from_the_pitch_for_any_rotation(angle: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    fit = fit_affine(grid(6, 7), grid(6, 7) @ (turn * 290.0))
    assert lattice_um_per_px(fit, step_um=(200.0, 200.0)) == pytest.approx(200 / 290)


def test_um_per_px_of_a_hexagonal_lattice_uses_both_steps() -> None:
    array = np.array([(column, row) for row in range(6) for column in range(row % 2, 12, 2)])
    px = array * [50.0, 86.60254] / 0.7268
    assert lattice_um_per_px(fit_affine(array, px), step_um=(50.0, 86.60254)) == pytest.approx(0.7268)


def test_positions_collapsed_to_a_line_have_no_um_per_px() -> None:
    with pytest.raises(GeometryError, match="on one line"):
        lattice_um_per_px(fit_affine(grid(4, 4), np.zeros((16, 2))), step_um=(200.0, 200.0))


def test_the_pitch_is_the_median_distance_to_the_nearest_spot() -> None:
    spots = np.vstack([grid(5, 5, 200.0), [[5000.0, 5000.0]]])
    assert estimate_pitch(spots) == pytest.approx(200.0)
    with pytest.raises(GeometryError, match="at least two spots"):
        estimate_pitch(spots[:1])


@pytest.mark.parametrize("k", [1, 2, 3, 5, 9, 12])
@pytest.mark.parametrize("radius", [150.0, 200.0, 320.0, np.inf])
def test_neighbours_equal_a_brute_force_search_with_ties_by_index(k: int, radius: float) -> None:
    spots = grid(7, 6, 200.0)[np.random.default_rng(1).permutation(42)]
    assert as_lists(*neighbours(spots, k=k, radius_um=radius)) == by_brute_force(spots, k, radius)


def test_ties_stay_ties_despite_rounding_of_coordinates() -> None:
    spots = grid(7, 6, 200.0)
    noisy = spots + np.random.default_rng(2).normal(scale=1e-7, size=spots.shape)
    for k in (3, 7):
        assert as_lists(*neighbours(noisy, k=k, radius_um=300.0)) == as_lists(*neighbours(spots, k=k, radius_um=300.0))


def test_absent_neighbours_are_padded_with_zero() -> None:
    indices, present = neighbours(np.array([[0.0, 0.0], [100.0, 0.0], [9000.0, 0.0]]), k=3, radius_um=150.0)
    assert indices.tolist() == [[0, 1, 0], [1, 0, 0], [2, 0, 0]]
    assert present.tolist() == [[True, True, False], [True, True, False], [True, False, False]]
    assert (indices.dtype, present.dtype) == (np.int64, np.bool_)


def test_a_spot_is_its_own_first_neighbour_even_among_spots_at_the_same_position() -> None:
    indices, present = neighbours(np.zeros((40, 2)), k=3, radius_um=1.0)
    assert indices[:, 0].tolist() == list(range(40))
    assert indices[5].tolist() == [5, 0, 1]
    assert present.all()


def test_no_spots_have_no_neighbours() -> None:
    indices, present = neighbours(np.zeros((0, 2)), k=4, radius_um=100.0)
    assert indices.shape == present.shape == (0, 4)


@pytest.mark.parametrize(("shape", "area"), [("disc", np.pi / 4), ("square", 1.0)])
def test_a_footprint_has_the_width_and_the_area_of_the_spot(shape: SpotShape, area: float) -> None:
    (polygon,) = footprints(np.array([[30.0, 40.0]]), 10.0, shape)
    assert polygon.bounds == pytest.approx((25, 35, 35, 45))
    assert polygon.area == pytest.approx(area * 100, rel=0.03)
    assert shapely.get_num_coordinates(polygon) < 20


def test_a_rotated_square_keeps_its_width_and_centre() -> None:
    upright, rotated = (
        footprints(np.array([[30.0, 40.0]]), 10.0, "square", angle=angle)[0] for angle in (0.0, np.radians(45))
    )
    assert rotated.bounds == pytest.approx((30 - 50**0.5, 40 - 50**0.5, 30 + 50**0.5, 40 + 50**0.5))
    assert rotated.area == pytest.approx(upright.area)
