"""The features of the stain encoder measure what their names say."""

import numpy as np
import pytest
import torch
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.contracts.encoder import check_encoder
from spacrd_core.errors import EncoderError
from spacrd_core.plugins import Plugins
from spacrd_encoders.stain import FEATURES, STAINS, WINDOWS_UM, Stain

HAEMATOXYLIN, EOSIN = np.array(STAINS[0]), np.array(STAINS[1])
NUCLEI, MATRIX = 0.8 * HAEMATOXYLIN + 0.1 * EOSIN, 0.1 * HAEMATOXYLIN + 0.5 * EOSIN
ROWS = np.arange(32)


@pytest.fixture(scope="module")
def stain(plugins: Plugins) -> Stain:
    encoder: Stain = plugins.encoders.create("stain")
    return encoder


def tile(density: Array, *, background: tuple[float, float, float] = (255, 255, 255)) -> Tensor:
    """A tile of optical densities (..., 3) on a background of some tint."""
    light = np.array(background) * 10 ** -np.broadcast_to(density, (32, 32, 3))
    return torch.from_numpy(light.round().astype(np.uint8)).permute(2, 0, 1)[None]


def striped(width_px: int) -> Array:
    """Stripes of nuclei and matrix."""
    return np.where((ROWS // width_px % 2 == 0)[:, None, None], NUCLEI, MATRIX)


def checked(width_px: int) -> Array:
    """Squares of nuclei and matrix."""
    squares = ROWS // width_px
    return np.where(((squares[:, None] + squares) % 2 == 0)[..., None], NUCLEI, MATRIX)


def named(stain: Stain, tiles: Tensor, um: int = 400) -> dict[str, float]:
    """The features of one window of the first tile."""
    values = stain.embed(tiles)[0].reshape(len(WINDOWS_UM), len(FEATURES))[WINDOWS_UM.index(um)]
    return dict(zip(FEATURES, values.tolist(), strict=True))


def test_it_keeps_the_contract_of_encoders(stain: Stain) -> None:
    check_encoder(stain)  # type: ignore[arg-type]


def test_its_dimension_is_every_feature_in_every_window(stain: Stain) -> None:
    assert stain.recipe.dim == len(FEATURES) * len(WINDOWS_UM)
    assert stain.recipe.patch_um == max(WINDOWS_UM)


def test_every_window_sees_its_own_width(stain: Stain) -> None:
    island = np.zeros((32, 32, 3))
    island[10:22, 10:22] = NUCLEI  # 150 um
    shares = [named(stain, tile(island), um)["tissue"] for um in WINDOWS_UM]
    assert shares == pytest.approx([1, (150 / 200) ** 2, (150 / 400) ** 2], rel=0.4)
    assert shares[0] > 0.99


@pytest.mark.parametrize(("haematoxylin", "eosin"), [(0.8, 0.1), (0.1, 0.6), (0.4, 0.4)])
def test_known_amounts_of_stain_are_recovered(stain: Stain, haematoxylin: float, eosin: float) -> None:
    features = named(stain, tile(haematoxylin * HAEMATOXYLIN + eosin * EOSIN))
    assert features["haematoxylin"] == pytest.approx(haematoxylin * np.linalg.norm(HAEMATOXYLIN), abs=0.02)
    assert features["density"] == pytest.approx((haematoxylin * HAEMATOXYLIN + eosin * EOSIN).mean(), abs=0.02)


def test_nuclei_absorb_more_red_than_matrix(stain: Stain) -> None:
    nuclei, matrix = named(stain, tile(NUCLEI)), named(stain, tile(MATRIX))
    assert nuclei["nuclei"] > 2 * matrix["nuclei"]


def test_twice_the_nuclei_absorb_twice_the_red(stain: Stain) -> None:
    numbers = np.random.default_rng(0)
    pixels = 32 * 32 * 64  # 64 of them make one of the tile
    order = numbers.permutation(pixels)
    eosin_lets_red_through = 0.07 * 0.5
    absorbed = []
    for count in (0, 6_000, 12_000):
        density = np.full((pixels, 3), 0.5) * EOSIN
        density[order[:count]] += 0.7 * HAEMATOXYLIN
        mixed = (10**-density).reshape(32, 32, 64, 3).mean(axis=2)
        absorbed.append(named(stain, tile(-np.log10(mixed)))["nuclei"])
    assert absorbed[0] == pytest.approx(1 - 10**-eosin_lets_red_through, abs=0.01)
    assert absorbed[2] - absorbed[0] == pytest.approx(2 * (absorbed[1] - absorbed[0]), rel=0.05)


def test_contrast_rises_with_the_size_of_nests(stain: Stain) -> None:
    even, small, large = (
        named(stain, tile(density))["haematoxylin_contrast"] for density in (NUCLEI, checked(2), checked(8))
    )
    assert even < small < large


def test_grain_falls_with_the_size_of_nests(stain: Stain) -> None:
    small, medium, large = (named(stain, tile(checked(width)))["grain"] for width in (2, 4, 8))
    assert small > medium > large


def test_alignment_distinguishes_stripes_from_squares(stain: Stain) -> None:
    assert named(stain, tile(striped(4)))["alignment"] > 0.9
    assert named(stain, tile(checked(4)))["alignment"] < 0.1


def test_tissue_is_distinguished_from_a_tinted_background_and_padding(stain: Stain) -> None:
    assert named(stain, tile(np.zeros(3)))["tissue"] < 0.02
    assert named(stain, tile(np.zeros(3), background=(218, 205, 222)))["tissue"] < 0.1
    assert named(stain, tile(MATRIX))["tissue"] > 0.9


def test_tissue_at_the_edge_has_the_stain_of_tissue(stain: Stain) -> None:
    half = checked(2).copy()
    half[:, 16:] = 0
    whole, edge = named(stain, tile(checked(2))), named(stain, tile(half))
    assert edge["tissue"] == pytest.approx(whole["tissue"] / 2, rel=0.15)
    for name in ("density", "haematoxylin", "nuclei"):
        assert edge[name] == pytest.approx(
            whole[name], abs=0.1 * abs(named(stain, tile(np.zeros(3)))[name] - whole[name])
        )


def test_the_orientation_of_a_section_does_not_matter(stain: Stain, tissue: Array) -> None:
    one = torch.from_numpy(tissue[:3200:100, :3200:100].copy()).permute(2, 0, 1)[None]
    turned = torch.cat([one, one.rot90(1, (2, 3)), one.flip(3), one.flip(2).rot90(1, (2, 3))])
    values = stain.embed(turned)
    assert torch.allclose(values, values[:1].expand_as(values), atol=1e-5)


def test_a_tile_gives_the_same_bits_in_any_batch(stain: Stain) -> None:
    tiles = torch.randint(0, 256, (200, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    together = stain.embed(tiles)
    for size in (1, 7, 64):
        assert torch.equal(torch.cat([stain.embed(part) for part in tiles.split(size)]), together)


def test_no_tiles_give_no_embeddings(stain: Stain) -> None:
    assert stain.embed(torch.empty((0, 3, 32, 32), dtype=torch.uint8)).shape == (0, stain.recipe.dim)


@pytest.mark.parametrize(
    "tiles", [torch.zeros((2, 3, 64, 64), dtype=torch.uint8), torch.zeros((2, 3, 32, 32)), torch.zeros(3, 32, 32)]
)
def test_other_tiles_are_refused_with_their_shape(stain: Stain, tiles: Tensor) -> None:
    with pytest.raises(EncoderError, match=r"tiles must be uint8 of shape \(any, 3, 32, 32\), found"):
        stain.embed(tiles)


def test_it_takes_no_weights(plugins: Plugins) -> None:
    with pytest.raises(ValueError, match="weights"):
        plugins.encoders.create("stain", {"weights": "pytorch_model.bin"})
