"""UNI is built as it was published; its own weights are gated, so that these are of its shapes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import timm
import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torchvision.transforms.functional import normalize

from spacrd_core.contracts.encoder import keeps_to_its_card
from spacrd_core.errors import WeightsError
from spacrd_encoders._networks import outline
from spacrd_encoders.uni import UNI

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.plugins import Plugins
    from spacrd_encoders._base import Published

assert UNI.network
FILE = UNI.network.files[0]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of all tensors of UNI, each one row of random numbers repeated: full shapes in 2 MB."""
    shapes = {name: tensor.shape for name, tensor in outline(UNI.network).state_dict().items()}
    numbers = torch.Generator().manual_seed(0)
    rows = {name: 0.02 * torch.randn(shape[-1], generator=numbers) for name, shape in shapes.items()}
    path = tmp_path_factory.mktemp("uni") / FILE
    torch.save({name: row.expand(shapes[name]) for name, row in rows.items()}, path)
    return path


def test_the_architecture_is_that_of_the_published_weights() -> None:
    state = outline(UNI.network).state_dict()
    assert len(state) == 342
    assert sum(tensor.numel() for tensor in state.values()) == 303_350_784
    assert state["pos_embed"].shape == (1, 197, 1024)
    assert state["blocks.23.ls2.gamma"].shape == (1024,)
    assert not [name for name in state if name.startswith("head")]


def test_a_local_file_gives_what_timm_gives_by_the_owners_recipe(plugins: Plugins, weights: Path) -> None:
    uni: Published = plugins.encoders.create("uni", {"weights": weights})
    tiles = torch.randint(0, 256, (1, 3, 224, 224), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    embeddings = uni.to(torch.device("cpu")).embed(tiles)
    assert embeddings.shape == (1, 1024)
    assert embeddings.dtype == torch.float32
    recipe = {"img_size": 224, "patch_size": 16, "init_values": 1e-5, "num_classes": 0, "dynamic_img_size": True}
    with torch.device("meta"):
        network = timm.create_model("vit_large_patch16_224", **recipe)
    network.load_state_dict(torch.load(weights, weights_only=True), strict=True, assign=True)
    with torch.inference_mode():
        expected = network.eval()(normalize(tiles / 255, IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD))
    assert torch.allclose(embeddings, expected, atol=1e-5)


def test_its_recipe_is_known_before_the_network_is_built(plugins: Plugins, weights: Path) -> None:
    uni: Published = plugins.encoders.create("uni_v1", {"weights": weights})
    keeps_to_its_card((plugins.encoders.card("uni"), uni))
    assert uni.recipe.weights.startswith("sha256:")
    assert uni.recipe.patch_um == 112
    assert (uni.recipe.licence, uni.recipe.gated) == ("CC-BY-NC-ND-4.0", True)
    assert "network" not in vars(uni)


def test_other_weights_make_another_recipe(plugins: Plugins, weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    torch.save({"bias": torch.ones(1)}, other)
    recipes = [plugins.encoders.create("uni", {"weights": file}).recipe.key for file in (weights, other, weights)]
    assert recipes[0] == recipes[2] != recipes[1]


def test_weights_of_another_model_are_refused(plugins: Plugins, tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.ones(2, 2)}, tmp_path / FILE)
    uni: Published = plugins.encoders.create("uni", {"weights": tmp_path / FILE})
    with pytest.raises(
        WeightsError, match=r"lacks 342 tensors \(cls_token, .*; it has no place for 1 tensors"
    ) as refusal:
        uni.embed(torch.zeros((1, 3, 224, 224), dtype=torch.uint8))
    assert "published for this very model" in refusal.value.hint


def test_a_missing_file_is_said_at_once(plugins: Plugins, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no weights file at"):
        plugins.encoders.create("uni", {"weights": tmp_path / "nowhere.bin"})


@pytest.mark.gated
@pytest.mark.network
def test_the_published_weights_fit(plugins: Plugins) -> None:
    uni: Published = plugins.encoders.create("uni")
    assert uni.embed(torch.full((1, 3, 224, 224), 200, dtype=torch.uint8)).shape == (1, 1024)
