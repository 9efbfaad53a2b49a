"""UNI is built as it was published; its own weights are gated, so that these are of its shapes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from spacrd_core.contracts.encoder import keeps_to_its_card
from spacrd_core.errors import WeightsError
from spacrd_encoders.uni import FILE, REPOSITORY, Uni, architecture

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.plugins import Plugins


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of all tensors of UNI, each one row of random numbers repeated: full shapes in 2 MB."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in architecture().state_dict().items()}
    numbers = torch.Generator().manual_seed(0)
    rows = {name: 0.02 * torch.randn(shape[-1], generator=numbers) for name, shape in shapes.items()}
    path = tmp_path_factory.mktemp("uni") / FILE
    torch.save({name: row.expand(shapes[name]) for name, row in rows.items()}, path)
    return path


def test_the_architecture_is_that_of_the_published_weights() -> None:
    with torch.device("meta"):
        network = architecture()
    state = network.state_dict()
    assert len(state) == 342
    assert sum(tensor.numel() for tensor in state.values()) == 303_350_784
    assert state["pos_embed"].shape == (1, 197, 1024)
    assert state["blocks.23.ls2.gamma"].shape == (1024,)
    assert not [name for name in state if name.startswith("head")]


def test_a_local_file_gives_1024_numbers_a_tile(plugins: Plugins, weights: Path) -> None:
    uni: Uni = plugins.encoders.create("uni", {"weights": weights})
    tiles = torch.randint(0, 256, (2, 3, 224, 224), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    embeddings = uni.to(torch.device("cpu")).embed(tiles)
    assert embeddings.shape == (2, 1024)
    assert embeddings.dtype == torch.float32
    assert embeddings.isfinite().all()


def test_its_recipe_is_known_before_the_network_is_built(plugins: Plugins, weights: Path) -> None:
    uni: Uni = plugins.encoders.create("uni_v1", {"weights": weights})
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
    uni: Uni = plugins.encoders.create("uni", {"weights": tmp_path / FILE})
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
    uni: Uni = plugins.encoders.create("uni")
    assert REPOSITORY == "MahmoodLab/UNI"
    assert uni.embed(torch.full((1, 3, 224, 224), 200, dtype=torch.uint8)).shape == (1, 1024)
