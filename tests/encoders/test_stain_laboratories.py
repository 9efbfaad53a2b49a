"""The stain encoder corrects for the laboratory's staining, and for nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.plugins import Plugins
from spacrd_encoders.stain import FEATURES, STAINS, WINDOWS_UM, Stain

CutTiles = Callable[[Array, float, Array], Tensor]
UM_PER_PX = 2.0
LABORATORIES = {
    "pale": ((0.7, 0.7), (0, 0, 0)),
    "strong": ((1.4, 1.4), (0, 0, 0)),
    "pink": ((0.7, 1.4), (0, 0, 0)),
    "blue": ((1.4, 0.7), (0, 0, 0)),
    "grey glass": ((1, 1), (0.08, 0.08, 0.08)),
    "pink, violet glass": ((0.8, 1.3), (0.04, 0.08, 0.03)),
}


@pytest.fixture(scope="module")
def stain(plugins: Plugins) -> Stain:
    encoder: Stain = plugins.encoders.create("stain", {"normalised": True})
    return encoder


@pytest.fixture(scope="module")
def cut(cut_tiles: CutTiles, centres_um: Array) -> Callable[[Array], Tensor]:
    return lambda image: cut_tiles(image, UM_PER_PX, centres_um)


def restain(image: Array, strengths: tuple[float, float], tint: tuple[float, float, float]) -> Array:
    """The image with more or less of either stain, on a tinted background."""
    colours = np.array(STAINS)
    amounts = -np.log10(np.maximum(image, 1) / 255) @ np.linalg.inv(colours)
    density = (amounts * (*strengths, 1)) @ colours + tint
    return np.asarray((255 * 10**-density).clip(0, 255).round().astype(np.uint8))


def shift(values: Tensor, others: Tensor) -> float:
    """The shift of a section's mean, in standard deviations of its spots, averaged over the features."""
    return float(((others - values).mean(dim=0).abs() / values.std(dim=0)).mean())


def feature(values: Tensor, name: str) -> Tensor:
    return values.reshape(len(values), len(WINDOWS_UM), len(FEATURES))[:, -1, list(FEATURES).index(name)]


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("laboratory", LABORATORIES)
def test_another_laboratory_moves_a_section_far_less_once_its_staining_is_known(
    stain: Stain, tissue: Array, cut: Callable[[Array], Tensor], laboratory: str
) -> None:
    usual, other = cut(tissue[::4, ::4]), cut(restain(tissue[::4, ::4], *LABORATORIES[laboratory]))
    unaware = shift(stain.embed(usual), stain.embed(other))
    aware = shift(stain.adapt(usual).embed(usual), stain.adapt(other).embed(other))
    assert aware < 0.3
    assert aware < 0.5 * unaware


def test_stains_are_not_normalised_by_default_and_the_recipes_differ(
    plugins: Plugins, stain: Stain, tissue: Array, cut: Callable[[Array], Tensor]
) -> None:
    plain: Stain = plugins.encoders.create("stain")
    tiles = cut(tissue[::4, ::4])
    assert plain.adapt(tiles) is plain
    assert torch.equal(plain.embed(tiles), stain.embed(tiles))
    assert plain.recipe.key != stain.recipe.key


def test_which_tiles_come_first_does_not_matter(stain: Stain, tissue: Array, cut: Callable[[Array], Tensor]) -> None:
    tiles = cut(tissue[::4, ::4])
    assert torch.equal(stain.adapt(tiles).embed(tiles), stain.adapt(tiles.flip(0)).embed(tiles))


def test_adapting_leaves_the_encoder_as_it_was(stain: Stain, tissue: Array, cut: Callable[[Array], Tensor]) -> None:
    tiles = cut(tissue[::4, ::4])
    before = stain.embed(tiles)
    other = stain.adapt(tiles)
    assert torch.equal(stain.embed(tiles), before)
    assert not torch.equal(other.embed(tiles), before)
    assert other.recipe == stain.recipe


@pytest.mark.parametrize("grey", [255, 225])
def test_a_background_without_tissue_does_not_change_the_encoder(stain: Stain, tissue: Array, grey: int) -> None:
    background = torch.full((9, 3, 32, 32), grey, dtype=torch.uint8)
    tile = torch.from_numpy(tissue[:3200:100, :3200:100].copy()).permute(2, 0, 1)[None]
    assert torch.equal(stain.adapt(background).embed(tile), stain.embed(tile))


@pytest.mark.parametrize("colour", [(1.0, 1.0, 1.0), STAINS[0], (0.0, 0.0, 1.0)], ids=["grey", "nuclei", "yellow"])
def test_a_single_stain_gives_finite_numbers(stain: Stain, colour: tuple[float, float, float]) -> None:
    amounts = np.random.default_rng(0).uniform(0, 1, (9, 32, 32, 1))
    light = 255 * 10 ** -(amounts * np.array(colour))
    tiles = torch.from_numpy(light.round().astype(np.uint8)).permute(0, 3, 1, 2)
    values = stain.adapt(tiles).embed(tiles)
    assert values.isfinite().all()
    assert values.abs().max() < 20
