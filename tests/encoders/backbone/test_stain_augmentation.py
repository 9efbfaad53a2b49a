"""Networks can average every tile over several stainings; without that option, nothing changes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from spacrd_core.contracts.encoder import check_encoder
from spacrd_core.errors import ConfigError
from spacrd_core.plugins import Plugins
from spacrd_encoders.backbone.base import Backbone
from spacrd_encoders.backbone.networks import build_on_meta
from spacrd_encoders.backbone.stain_augmentation import (
    MAX_STRENGTH,
    MAX_TINT,
    MIN_STRENGTH,
    augment_stain,
    stain_parameters,
)
from spacrd_encoders.stain import STAINS

HAEMATOXYLIN, EOSIN = (torch.tensor(stain) for stain in STAINS[:2])


def create(plugins: Plugins, **options: object) -> Backbone:
    encoder: Backbone = plugins.encoders.create("timm:test_vit", {"pretrained": False, **options})
    return encoder


def tissue(px: int, *, tiles: int = 4) -> Tensor:
    """Tiles of nuclei on matrix, 8-bit RGB."""
    numbers = torch.Generator().manual_seed(0)
    amounts = torch.rand((2, tiles, px // 8, px // 8), generator=numbers).repeat_interleave(8, 2)
    density = torch.einsum("snhw,sc->nchw", amounts.repeat_interleave(8, 3), torch.stack([HAEMATOXYLIN, EOSIN]))
    return (255 * 10**-density).round().to(torch.uint8)


def test_the_recipe_holds_the_number_of_stainings_unless_it_is_one(plugins: Plugins) -> None:
    plain, one, four = (create(plugins, **options).recipe for options in ({}, {"stain_views": 1}, {"stain_views": 4}))
    assert plain.key == one.key
    assert json.loads(four.settings) == {"model": "test_vit", "stain_views": 4}
    assert len({plain.key, four.key, create(plugins, stain_views=5).recipe.key}) == 3


def test_one_staining_gives_the_bits_of_the_tile_itself(plugins: Plugins) -> None:
    encoder = create(plugins)
    tiles = tissue(160)
    mean, std = (torch.tensor(values)[:, None, None] for values in (encoder.recipe.mean, encoder.recipe.std))
    with torch.inference_mode():
        itself = encoder.network((tiles.float() / 255 - mean) / std)
    assert torch.equal(create(plugins, stain_views=1).embed(tiles), itself)
    assert torch.equal(encoder.embed(tiles), itself)


def test_an_embedding_is_the_mean_over_the_stainings(plugins: Plugins) -> None:
    tiles = tissue(160)
    three = create(plugins, stain_views=3)
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (three.recipe.mean, three.recipe.std))
    with torch.inference_mode():
        seen = [three.network((augment_stain(tiles / 255, view) - mean) / std) for view in range(3)]
    assert torch.allclose(three.embed(tiles), torch.stack(seen).mean(dim=0), atol=1e-6)
    assert not torch.allclose(seen[0], seen[1], atol=1e-3)


def test_an_encoder_with_several_stainings_keeps_its_contract(plugins: Plugins) -> None:
    check_encoder(create(plugins, stain_views=3))  # type: ignore[arg-type]


def test_a_staining_has_its_strengths_and_its_tint() -> None:
    light = 10 ** -torch.stack([torch.zeros(3), 0.5 * HAEMATOXYLIN, 0.5 * EOSIN])[..., None, None]
    for view in range(1, 9):
        background, nuclei, matrix = -torch.log10(augment_stain(light, view)[..., 0, 0])
        assert ((background >= 0) & (background <= MAX_TINT)).all()
        for density, stain in ((nuclei, HAEMATOXYLIN), (matrix, EOSIN)):
            strengths = (density - background) / (0.5 * stain)
            assert torch.allclose(strengths, strengths[:1].expand(3), atol=1e-3)
            assert MIN_STRENGTH <= strengths[0] <= MAX_STRENGTH
        assert torch.equal(stain_parameters(view)[0], stain_parameters(view)[0])
    assert len({float(stain_parameters(view)[1][0]) for view in range(1, 9)}) == 8


def test_half_precision_does_not_touch_the_colours() -> None:
    light = tissue(32) / 255
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = augment_stain(light, 1)
    assert torch.equal(rounded, augment_stain(light, 1))


@pytest.mark.slow
def test_published_networks_take_stainings_too(plugins: Plugins, tmp_path: Path) -> None:
    network: Any = plugins.encoders.card("kaiko-s16").network
    numbers = torch.Generator().manual_seed(0)
    shapes = {name: tensor.shape for name, tensor in build_on_meta(network).state_dict().items()}
    save_file({n: 0.1 * torch.randn(s, generator=numbers) for n, s in shapes.items()}, tmp_path / "w.safetensors")
    options = {"weights": tmp_path / "w.safetensors"}
    one = plugins.encoders.create("kaiko-s16", options)
    two = plugins.encoders.create("kaiko-s16", {**options, "stain_views": 2})
    assert json.loads(two.recipe.settings) == {**json.loads(one.recipe.settings), "stain_views": 2}
    assert not torch.equal(one.embed(tissue(224, tiles=1)), two.embed(tissue(224, tiles=1)))


@pytest.mark.parametrize("views", [0, 65])
def test_no_stainings_and_very_many_are_refused(plugins: Plugins, views: int) -> None:
    bound = "greater than or equal to 1" if views == 0 else "less than or equal to 64"
    with pytest.raises(ConfigError, match=f"stain_views: Input should be {bound}"):
        create(plugins, stain_views=views)
