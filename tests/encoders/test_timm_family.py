"""Any timm model, with its own preprocessing, and weights that are always identified."""

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from stand_ins.hub import python
from torch import Tensor

from spacrd_core.contracts.encoder import check_encoder
from spacrd_core.errors import ConfigError, UnknownName, WeightsError
from spacrd_core.plugins import Plugins
from spacrd_encoders.timm_family import TimmModel

RANDOM = {"pretrained": False}


def tiles(px: int) -> Tensor:
    return torch.randint(0, 256, (2, 3, px, px), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def create(plugins: Plugins, member: str, **options: object) -> TimmModel:
    encoder: TimmModel = plugins.encoders.create(f"timm:{member}", options)
    return encoder


@pytest.mark.parametrize("member", ["test_vit", "test_resnet", "test_mambaout"])
def test_every_kind_of_model_keeps_the_contract_of_encoders(plugins: Plugins, member: str) -> None:
    check_encoder(create(plugins, member, **RANDOM))  # type: ignore[arg-type]


def test_the_recipe_is_the_models_own(plugins: Plugins, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"weights")
    recipe = create(plugins, "vit_small_patch16_224.augreg_in21k_ft_in1k", um_per_px=1.0, weights=tmp_path / "w").recipe
    assert (recipe.input_px, recipe.um_per_px, recipe.dim, recipe.pooling) == (224, 1.0, 384, "cls")
    assert recipe.mean == recipe.std == (0.5, 0.5, 0.5)
    assert json.loads(recipe.settings) == {"model": "vit_small_patch16_224"}
    assert recipe.resize == "bicubic"
    assert recipe.weights == f"sha256:{hashlib.sha256(b'weights').hexdigest()}"
    assert recipe.licence == "apache-2.0"


def test_antialiased_bilinear_is_called_by_its_filter(plugins: Plugins) -> None:
    assert create(plugins, "resnet50.tv_in1k", **RANDOM).recipe.resize == "triangle"


def test_an_unsupported_filter_is_refused(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    def create_sharp(_: TimmModel) -> Any:
        return timm.create_model("test_resnet", num_classes=0, pretrained_cfg_overlay={"interpolation": "lanczos"})

    monkeypatch.setattr(TimmModel, "create", create_sharp)
    with pytest.raises(ConfigError, match="timm:test_resnet needs tiles resized with 'lanczos'") as refusal:
        create(plugins, "test_resnet", **RANDOM)
    assert "bilinear or bicubic" in refusal.value.hint


@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        ({"um_per_px": float("inf")}, "um_per_px: Input should be a finite number"),
        ({"um_per_px": float("nan")}, "um_per_px: Input should be a finite number"),
        ({"um_per_px": 101}, "um_per_px: Input should be less than or equal to 100"),
        ({"um_per_px": 0}, "um_per_px: Input should be greater than 0"),
        ({"seed": 2**63}, f"seed: Input should be less than {2**63}"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
    ],
    ids=str,
)
def test_an_out_of_range_option_is_refused(plugins: Plugins, options: dict[str, float], phrase: str) -> None:
    with pytest.raises(ConfigError, match=f"encoder 'timm:test_vit': {phrase}"):
        create(plugins, "test_vit", **RANDOM, **options)


def test_a_model_that_gives_a_map_is_refused(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimmModel, "create", lambda _: timm.create_model("test_resnet", num_classes=0, global_pool=""))
    with pytest.raises(ConfigError, match="timm:test_resnet gives a feature map, not one embedding per tile"):
        create(plugins, "test_resnet", **RANDOM)


def test_the_recipe_is_known_before_the_network_is_built(plugins: Plugins) -> None:
    assert vars(create(plugins, "vit_large_patch16_224", **RANDOM))["_network"] is None


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


@pytest.mark.slow
def test_threads_that_need_networks_at_once_get_one_each_with_its_own_numbers(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [create(plugins, "test_vit", seed=seed, **RANDOM).embed(tiles(160)) for seed in (1, 2)]
    built: list[int] = []
    embeddings: dict[int, torch.Tensor] = {}
    real, everybody = TimmModel.build, threading.Barrier(4)

    def build(encoder: TimmModel) -> Any:
        built.append(encoder.options.seed)
        time.sleep(0.05)
        return real(encoder)

    def work(index: int) -> None:
        everybody.wait()
        embeddings[index] = encoders[index % 2].embed(tiles(160))

    monkeypatch.setattr(TimmModel, "build", build)
    encoders = [create(plugins, "test_vit", seed=seed, **RANDOM) for seed in (1, 2)]
    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(built) == [1, 2]
    assert all(torch.equal(embeddings[index], expected[index % 2]) for index in range(4))


@pytest.mark.parametrize("classes", [0, 1000])
def test_a_local_file_is_used_with_or_without_its_classifier(plugins: Plugins, tmp_path: Path, classes: int) -> None:
    torch.manual_seed(0)
    model: Any = timm.create_model("test_vit", num_classes=classes).eval()
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    encoder = create(plugins, "test_vit", weights=tmp_path / "w.safetensors")
    images = (tiles(160) / 255 - 0.5) / 0.5
    with torch.inference_mode():
        expected = model.forward_head(model.forward_features(images), pre_logits=True)
    assert torch.allclose(encoder.embed(tiles(160)), expected, atol=1e-5)
    assert encoder.recipe.weights.startswith("sha256:")


# Embeds by the weights in the cache, then gives the file there other contents.
FROM_CACHE = """
import json, shutil, sys
from pathlib import Path
from safetensors.torch import load_file, save_file
from spacrd_core.plugins import load_plugins
home, file = map(Path, sys.argv[1:])
encoders = load_plugins().encoders
encoder, tagged = (encoders.create(name) for name in ("timm:test_vit", "timm:test_vit.r160_in1k"))
save_file({"embeddings": encoder.embed(load_file(home / "tiles")["tiles"])}, home / "embeddings")
shutil.copy(home / "other", file)
recipes = [encoder.recipe, tagged.recipe, encoders.create("timm:test_vit").recipe]
print(json.dumps([[recipe.weights, recipe.key] for recipe in recipes]))
"""


@pytest.fixture(scope="module")
def from_cache(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """A Hub cache, and the weights and key of three recipes: by name, by tag, by name with other contents."""
    home, commit = tmp_path_factory.mktemp("home"), "0" * 40
    repository = home / "hub/models--timm--test_vit.r160_in1k"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text(commit)
    file = repository / "snapshots" / commit / "model.safetensors"
    file.parent.mkdir(parents=True)
    for path in (file, home / "first", home / "other"):
        torch.manual_seed(path.name == "other")
        save_file(timm.create_model("test_vit").state_dict(), path)
    save_file({"tiles": tiles(160)}, home / "tiles")
    done = python("-c", FROM_CACHE, str(home), str(file), home=home, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


@pytest.mark.slow
def test_the_hubs_weights_are_used_from_its_cache(plugins: Plugins, from_cache: tuple[Path, list[list[str]]]) -> None:
    home, _ = from_cache
    expected = create(plugins, "test_vit", weights=home / "first").embed(tiles(160))
    assert torch.allclose(load_file(home / "embeddings")["embeddings"], expected, atol=1e-5)


@pytest.mark.slow
def test_the_hubs_weights_are_identified_by_their_bytes_not_by_their_name(
    plugins: Plugins, from_cache: tuple[Path, list[list[str]]]
) -> None:
    home, (by_name, by_tag, changed) = from_cache
    files = [create(plugins, "test_vit", weights=home / name).recipe for name in ("first", "other")]
    assert by_name == by_tag == [files[0].weights, files[0].key]
    assert changed == [files[1].weights, files[1].key]
    assert files[0].key != files[1].key


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


def test_an_unknown_model_is_refused_with_similar_names(plugins: Plugins) -> None:
    with pytest.raises(UnknownName, match="timm has no model 'resnet_50'") as refusal:
        create(plugins, "resnet_50")
    assert "resnet50" in refusal.value.hint


def test_unknown_weights_are_refused_with_the_available_ones(plugins: Plugins) -> None:
    with pytest.raises(UnknownName, match=r"timm has no weights 'test_vit\.best'") as refusal:
        create(plugins, "test_vit.best")
    assert "test_vit.r160_in1k" in refusal.value.hint


def test_a_model_without_published_weights_requires_a_choice(plugins: Plugins) -> None:
    with pytest.raises(WeightsError, match="the Hub has no weights of timm:vit_small_patch16_18x2_224") as refusal:
        create(plugins, "vit_small_patch16_18x2_224")
    assert "pretrained=false" in refusal.value.hint
    assert create(plugins, "vit_small_patch16_18x2_224", **RANDOM).recipe.dim == 384
