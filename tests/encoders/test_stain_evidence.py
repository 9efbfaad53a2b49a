"""The image's evidence reads tissue and nuclei from the features of the stain encoder."""

import numpy as np
import pytest
import torch

from spacrd_core.arrays import Array
from spacrd_core.plugins import Plugins
from spacrd_core.prior.image import (
    ENCODER,
    ENCODER_OPTIONS,
    FEATURES_PER_WINDOW,
    NUCLEI,
    TISSUE,
    image_recipe_key,
    score_image,
)
from spacrd_core.prior.neighbourhoods import Neighbourhoods
from spacrd_encoders.stain import FEATURES, NORMALISED, STAINS, WINDOWS_UM, Stain

PITCH_UM = 200.0
READ = [k for k, name in enumerate(list(FEATURES) * len(WINDOWS_UM)) if name in {"tissue", "nuclei"}]


@pytest.fixture
def xy_um() -> Array:
    """A lattice of 6 x 5 spots, and one spot far from all others."""
    lattice = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0)), axis=-1).reshape(-1, 2)
    return np.concatenate([lattice, [[40.0, 40.0]]]) * PITCH_UM


@pytest.fixture
def features(xy_um: Array) -> Array:
    """Features of which every one has its own mean and scale."""
    numbers = np.random.default_rng(0)
    dim = len(FEATURES) * len(WINDOWS_UM)
    values = numbers.normal(size=(len(xy_um), dim)) * numbers.uniform(0.1, 10, dim) + numbers.normal(size=dim)
    return np.asarray(values, dtype=np.float32)


def around(xy_um: Array) -> Array:
    """Which spots are neighbours on the lattice, diagonals and the spot itself included."""
    return np.asarray(np.linalg.norm(xy_um[:, None] - xy_um[None], axis=-1) < 1.5 * PITCH_UM)


def test_it_knows_the_order_of_the_features(plugins: Plugins) -> None:
    assert len(FEATURES) == FEATURES_PER_WINDOW
    assert list(FEATURES)[TISSUE] == "tissue"
    assert list(FEATURES)[NUCLEI] == "nuclei"
    encoder = plugins.encoders.create(ENCODER, dict(ENCODER_OPTIONS))
    assert encoder.recipe == NORMALISED
    assert encoder.recipe.dim == FEATURES_PER_WINDOW * len(WINDOWS_UM)
    assert image_recipe_key(plugins.encoders) == NORMALISED.key


def test_the_score_is_the_mean_of_standardised_tissue_and_nuclei_over_neighbourhoods(
    xy_um: Array, features: Array
) -> None:
    read = features[:, READ].astype(np.float64)
    density = ((read - read.mean(axis=0)) / read.std(axis=0)).mean(axis=1)
    expected = np.array([density[near].mean() for near in around(xy_um)])
    expected = (expected - expected.mean()) / expected.std()
    score, _ = score_image(features, Neighbourhoods.of(xy_um, PITCH_UM))
    assert len(READ) == 2 * len(WINDOWS_UM)
    assert score == pytest.approx(expected, abs=1e-5)


def test_the_structure_is_the_correlation_of_a_spot_with_its_neighbours(xy_um: Array, features: Array) -> None:
    read = features[:, READ].astype(np.float64)
    density = ((read - read.mean(axis=0)) / read.std(axis=0)).mean(axis=1)[:-1]  # the last spot has no neighbour
    others = around(xy_um[:-1]) & ~np.eye(len(density), dtype=bool)
    expected = np.corrcoef(density, [density[near].mean() for near in others])[0, 1]
    _, structure = score_image(features, Neighbourhoods.of(xy_um, PITCH_UM))
    assert structure == pytest.approx(expected, abs=1e-5)


def test_no_other_feature_changes_the_score(xy_um: Array, features: Array) -> None:
    changed = -features
    changed[:, READ] = features[:, READ]
    spots = Neighbourhoods.of(xy_um, PITCH_UM)
    assert np.array_equal(score_image(changed, spots)[0], score_image(features, spots)[0])


def test_dense_nuclei_score_higher_than_matrix(plugins: Plugins, xy_um: Array) -> None:
    encoder: Stain = plugins.encoders.create(ENCODER, dict(ENCODER_OPTIONS))
    dense = xy_um[:, 0] < 3 * PITCH_UM
    amounts = np.random.default_rng(0).uniform(0.5, 1, (len(xy_um), 1, 32, 32))
    nuclei, matrix = (np.array(amount) @ np.array(STAINS[:2]) for amount in ((0.8, 0.1), (0.1, 0.5)))
    light = 255 * 10 ** -(amounts * np.where(dense[:, None], nuclei, matrix)[..., None, None])
    tiles = torch.from_numpy(light.round().astype(np.uint8))
    score, structure = score_image(encoder.adapt(tiles).embed(tiles).numpy(), Neighbourhoods.of(xy_um, PITCH_UM))
    assert score[dense].min() > score[~dense].max()
    assert structure > 0.5
