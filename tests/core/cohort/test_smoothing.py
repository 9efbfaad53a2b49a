"""Logits are averaged over similar tissue within the radius, and over nothing else."""

import numpy as np
import pytest

from spacrd_core.arrays import Array
from spacrd_core.cohort.neighbourhood_means import NeighbourhoodMeans
from spacrd_core.cohort.smoothing import BilateralFilter, SimilarTissue, readable
from spacrd_core.section.geometry import neighbours

PITCH_UM = 100.0
SIDE = 16
EDGE = SIDE // 2


def lattice(rows: int, columns: int) -> Array:
    return np.stack([axis.ravel() for axis in np.mgrid[:rows, :columns]], axis=1)[:, ::-1] * PITCH_UM


def fitted(xy_um: Array, *, genes: Array | None = None, image: Array | None = None, reach: int = 9) -> BilateralFilter:
    """Return the filter of spots, with features averaged over neighbourhoods of ``reach`` spots."""
    around, present = neighbours(xy_um, k=reach, radius_um=1.6 * PITCH_UM)
    held = [values.astype(np.float32) for values in (genes, image) if values is not None]
    means = [NeighbourhoodMeans.of(values, around, present).operator() for values in held]
    return BilateralFilter.fit(xy_um, PITCH_UM, means)


def noise(spots: int, features: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(0, 1, (spots, features))


@pytest.fixture
def square() -> Array:
    return lattice(SIDE, SIDE)


@pytest.fixture
def right(square: Array) -> Array:
    """Which spots lie right of the edge between two kinds of tissue."""
    return np.asarray(square[:, 0] >= EDGE * PITCH_UM)


def test_the_weights_of_a_spot_are_not_negative_and_sum_to_one(square: Array) -> None:
    weights = fitted(square, genes=noise(SIDE**2, 12)).weights
    assert (weights >= 0).all()
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_a_spot_out_of_reach_counts_nothing(square: Array) -> None:
    far = np.linalg.norm(square - square[0], axis=1) > 3.3 * PITCH_UM
    values = np.zeros(SIDE**2)
    values[0] = 1e6  # absent places hold the index of this spot
    smoothed = fitted(square, genes=noise(SIDE**2, 12))(values)
    assert not smoothed[far].any()
    assert (smoothed[~far] > 0).all()


def test_calls_that_are_the_same_everywhere_stay(square: Array) -> None:
    smoothed = fitted(square, genes=noise(SIDE**2, 12))(np.full(SIDE**2, -2.5))
    assert smoothed == pytest.approx(-2.5, abs=1e-5)


def test_a_lone_speck_in_uniform_tissue_is_averaged_away(square: Array) -> None:
    speck = SIDE * EDGE + EDGE
    values = np.full(SIDE**2, -1.0)
    values[speck] = 3.0
    smoothed = fitted(square, genes=noise(SIDE**2, 12))(values)
    assert smoothed[speck] < -0.5
    assert smoothed.max() < -0.5


def test_calls_do_not_bleed_over_an_edge_between_two_kinds_of_tissue(square: Array, right: Array) -> None:
    values = np.where(right, 1.0, -1.0)
    beside = right & (square[:, 0] < (EDGE + 1) * PITCH_UM)
    like = fitted(square, genes=noise(SIDE**2, 12) + 8.0 * right[:, None])
    plain = BilateralFilter(like.neighbours, (like.weights > 0) / (like.weights > 0).sum(axis=1, keepdims=True))
    assert like(values)[beside].min() > 0.9
    assert plain(values)[beside].max() < 0.6


def test_an_edge_that_only_one_modality_shows_still_holds_calls_apart(square: Array, right: Array) -> None:
    values = np.where(right, 1.0, -1.0)
    beside = right & (square[:, 0] < (EDGE + 1) * PITCH_UM)
    genes = noise(SIDE**2, 12) + 8.0 * right[:, None]
    assert fitted(square, genes=genes, image=noise(SIDE**2, 6, seed=1))(values)[beside].min() > 0.9


def test_spots_count_by_how_far_they_are_apart_over_the_median_pair() -> None:
    row = lattice(1, 3)
    found = fitted(row, genes=np.array([[0.0], [1.0], [3.0]]), reach=1)  # squared: 1, 4 and 9; their median is 4
    weights = np.exp([0.0, -1 / 4, -9 / 4])
    assert found.neighbours[0, :3].tolist() == [0, 1, 2]
    assert found.weights[0, :3] == pytest.approx(weights / weights.sum(), abs=1e-5)


@pytest.mark.parametrize("features", [12, 400], ids=["fewer features than spots", "more features than spots"])
def test_the_order_of_spots_does_not_matter(square: Array, right: Array, features: int) -> None:
    genes = noise(SIDE**2, features)
    genes[:, :10] += 2.0 * right[:, None]
    values, order = noise(SIDE**2, 1, seed=1)[:, 0], np.random.default_rng(2).permutation(SIDE**2)
    smoothed = fitted(square, genes=genes)(values)
    assert fitted(square[order], genes=genes[order])(values[order]) == pytest.approx(smoothed[order], abs=1e-4)


def test_the_same_section_gives_the_same_bits(square: Array) -> None:
    genes = noise(SIDE**2, 400)
    one, again = (fitted(square, genes=genes) for _ in range(2))
    assert np.array_equal(one.weights, again.weights)
    assert np.array_equal(one.neighbours, again.neighbours)


def test_a_spot_alone_keeps_its_call() -> None:
    assert fitted(lattice(1, 1), genes=noise(1, 12))(np.array([4.0])) == pytest.approx([4.0])


def test_two_spots_out_of_reach_of_each_other_keep_their_calls() -> None:
    apart = np.array([[0.0, 0.0], [10 * PITCH_UM, 0.0]])
    assert fitted(apart, genes=noise(2, 12))(np.array([4.0, -4.0])) == pytest.approx([4.0, -4.0])


def test_two_spots_of_one_neighbourhood_share_their_calls() -> None:
    assert fitted(lattice(1, 2), genes=noise(2, 12))(np.array([4.0, -2.0])) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("features", [12, 400], ids=["fewer features than spots", "more features than spots"])
def test_neighbourhood_means_are_read_dense_or_as_an_operator_with_the_same_result(
    square: Array, features: int
) -> None:
    around = neighbours(square, k=9, radius_um=1.6 * PITCH_UM)
    means = NeighbourhoodMeans.of(noise(SIDE**2, features).astype(np.float32), *around)
    read = readable(means, len(square))
    assert isinstance(read, np.ndarray) == (features > SIDE**2)
    assert not isinstance(readable(means, len(square) - 1), np.ndarray)
    similar = SimilarTissue.of(square, PITCH_UM, {"genes": read, "same": read}).by(["genes", "same"])
    assert similar.weights == pytest.approx(fitted(square, genes=noise(SIDE**2, features)).weights, abs=1e-5)


def test_where_no_feature_varies_all_spots_in_reach_count_alike() -> None:
    values = noise(25, 1)[:, 0]
    square = lattice(5, 5)
    reached = np.linalg.norm(square[:, None] - square, axis=2) <= 3.3 * PITCH_UM
    wanted = (reached @ values) / reached.sum(axis=1)
    assert fitted(square, genes=np.zeros((25, 4)))(values) == pytest.approx(wanted, abs=1e-5)


def test_a_single_feature_is_enough(square: Array, right: Array) -> None:
    values = np.where(right, 1.0, -1.0)
    beside = right & (square[:, 0] < (EDGE + 1) * PITCH_UM)
    tissue = noise(SIDE**2, 1) + 20.0 * right[:, None]
    assert fitted(square, image=tissue)(values)[beside].min() > 0.9


def test_both_modalities_count_alike_whatever_their_units(square: Array) -> None:
    genes, image = noise(SIDE**2, 12), noise(SIDE**2, 6, seed=1)
    weights = fitted(square, genes=genes, image=image).weights
    assert fitted(square, genes=genes, image=1000.0 * image + 5.0).weights == pytest.approx(weights, abs=1e-4)
    assert fitted(square, genes=image, image=genes).weights == pytest.approx(weights, abs=1e-4)
    assert fitted(square, genes=genes, image=genes).weights == pytest.approx(
        fitted(square, genes=genes).weights, abs=1e-4
    )
    assert fitted(square, genes=genes).weights != pytest.approx(weights, abs=1e-2)


def test_features_that_vary_by_rounding_alone_do_not_vary(square: Array) -> None:
    blank = np.full((SIDE**2, 8), 1 / 3)
    blank[::2] += 3e-8
    even = fitted(square, genes=np.zeros((SIDE**2, 8)))
    assert np.array_equal(fitted(square, genes=blank).weights, even.weights)
