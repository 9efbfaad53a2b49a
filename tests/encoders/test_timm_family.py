"""Any model of timm, with its own preprocessing, and weights that are always named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from spacrd_core.contracts.encoder import check_encoder
from spacrd_core.errors import ConfigError, UnknownName, WeightsError
from spacrd_encoders.timm_family import TimmModel

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.plugins import Plugins
RANDOM = {"pretrained": False}


def tiles(px: int) -> Tensor:
    return torch.randint(0, 256, (2, 3, px, px), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def create(plugins: Plugins, member: str, **options: object) -> TimmModel:
    encoder: TimmModel = plugins.encoders.create(f"timm:{member}", options)
    return encoder


@pytest.mark.parametrize("member", ["test_vit", "test_resnet", "test_mambaout"])
def test_every_kind_of_model_keeps_the_contract_of_encoders(plugins: Plugins, member: str) -> None:
    check_encoder(create(plugins, member, **RANDOM))


def test_the_recipe_is_the_models_own(plugins: Plugins) -> None:
    recipe = create(plugins, "vit_small_patch16_224.augreg_in21k_ft_in1k", um_per_px=1.0).recipe
    assert (recipe.input_px, recipe.um_per_px, recipe.dim, recipe.pooling) == (224, 1.0, 384, "cls")
    assert recipe.mean == recipe.std == (0.5, 0.5, 0.5)
    assert json.loads(recipe.settings) == {"model": "vit_small_patch16_224"}
    assert recipe.resize == "bicubic"
    assert recipe.weights == "hub:timm/vit_small_patch16_224.augreg_in21k_ft_in1k"
    assert recipe.licence == "apache-2.0"


def test_antialiased_bilinear_is_called_by_its_filter(plugins: Plugins) -> None:
    assert create(plugins, "resnet50.tv_in1k").recipe.resize == "triangle"


def test_a_model_that_gives_a_map_is_refused(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimmModel, "create", lambda _: timm.create_model("test_resnet", num_classes=0, global_pool=""))
    with pytest.raises(ConfigError, match="timm:test_resnet gives a map, not one embedding a tile"):
        create(plugins, "test_resnet", **RANDOM)


def test_the_default_weights_have_the_name_of_their_tag(plugins: Plugins) -> None:
    assert create(plugins, "test_vit").recipe == create(plugins, "test_vit.r160_in1k").recipe


def test_the_recipe_is_known_before_the_network_is_built(plugins: Plugins) -> None:
    assert "network" not in vars(create(plugins, "vit_large_patch16_224"))


def test_the_dimension_is_what_comes_out(plugins: Plugins) -> None:
    assert create(plugins, "mobilenetv3_small_050", **RANDOM).recipe.dim == 1024  # its features are 288 before the head


def test_random_weights_follow_their_seed_and_nothing_else(plugins: Plugins) -> None:
    torch.manual_seed(5)
    first = create(plugins, "test_vit", seed=1, **RANDOM)
    embedding = first.embed(tiles(160))
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1)), "building a network must leave the generator of others alone"
    assert torch.equal(create(plugins, "test_vit", seed=1, **RANDOM).embed(tiles(160)), embedding)
    assert not torch.equal(create(plugins, "test_vit", seed=2, **RANDOM).embed(tiles(160)), embedding)
    assert first.recipe.weights == "random:1"


@pytest.mark.parametrize("classes", [0, 1000])
def test_a_local_file_is_used_with_or_without_its_classifier(plugins: Plugins, tmp_path: Path, classes: int) -> None:
    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=classes).eval()
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    encoder = create(plugins, "test_vit", weights=tmp_path / "w.safetensors")
    images = (tiles(160) / 255 - 0.5) / 0.5
    with torch.inference_mode():
        expected = model.forward_head(model.forward_features(images), pre_logits=True)
    assert torch.allclose(encoder.embed(tiles(160)), expected, atol=1e-5)
    assert encoder.recipe.weights.startswith("sha256:")


def test_the_hubs_weights_are_used_from_its_cache(plugins: Plugins, tmp_path: Path) -> None:
    """In a fresh Python, because the Hub's library reads its settings when it is imported."""
    repository, commit = tmp_path / "hub/models--timm--test_vit.r160_in1k", "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text(commit)
    weights = repository / "snapshots" / commit / "model.safetensors"
    weights.parent.mkdir(parents=True)
    save_file(timm.create_model("test_vit").state_dict(), weights)
    save_file({"tiles": tiles(160)}, tmp_path / "tiles")
    program = f"""
from safetensors.torch import load_file, save_file
from spacrd_core.plugins import load_plugins
encoder = load_plugins().encoders.create("timm:test_vit")
save_file({{"embeddings": encoder.embed(load_file("{tmp_path}/tiles")["tiles"])}}, "{tmp_path}/embeddings")
"""
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    expected = create(plugins, "test_vit", weights=weights).embed(tiles(160))
    assert torch.allclose(load_file(tmp_path / "embeddings")["embeddings"], expected, atol=1e-5)


def test_a_file_of_another_model_is_refused(plugins: Plugins, tmp_path: Path) -> None:
    torch.save(timm.create_model("test_resnet").state_dict(), tmp_path / "w.pth")
    encoder = create(plugins, "test_vit", weights=tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"w\.pth does not fit the architecture: it lacks \d+ tensors"):
        encoder.embed(tiles(160))


@pytest.mark.parametrize("member", ["test_vit", "test_resnet"])
def test_tiles_may_have_another_width(plugins: Plugins, member: str) -> None:
    encoder = create(plugins, member, input_px=96, **RANDOM)
    assert encoder.recipe.input_px == 96
    assert encoder.embed(tiles(96)).shape == (2, encoder.recipe.dim)


def test_a_width_that_a_model_cannot_take_is_refused(plugins: Plugins) -> None:
    with pytest.raises(ConfigError, match=r"timm:maxvit_tiny_tf_224 (takes|cannot take) tiles of"):
        create(plugins, "maxvit_tiny_tf_224", input_px=100, **RANDOM)


def test_an_unknown_model_is_answered_with_the_nearest_names(plugins: Plugins) -> None:
    with pytest.raises(UnknownName, match="timm has no model 'resnet_50'") as refusal:
        create(plugins, "resnet_50")
    assert "resnet50" in refusal.value.hint


def test_unknown_weights_are_answered_with_those_there_are(plugins: Plugins) -> None:
    with pytest.raises(UnknownName, match=r"timm has no weights 'test_vit\.best'") as refusal:
        create(plugins, "test_vit.best")
    assert "test_vit.r160_in1k" in refusal.value.hint


def test_a_model_without_published_weights_asks_for_a_choice(plugins: Plugins) -> None:
    with pytest.raises(WeightsError, match="the Hub has no weights of timm:vit_small_patch16_18x2_224") as refusal:
        create(plugins, "vit_small_patch16_18x2_224")
    assert "pretrained=false" in refusal.value.hint
    assert create(plugins, "vit_small_patch16_18x2_224", **RANDOM).recipe.dim == 384
