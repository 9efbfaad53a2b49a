"""UNI is built as it was published; its weights are gated, so that these tests use random weights of its shapes."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from conftest import MakeSection
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor
from torchvision.transforms.functional import normalize

from spacrd_cli import main
from spacrd_core.contracts.encoder import matches_its_card
from spacrd_core.errors import WeightsError
from spacrd_core.plugins import Plugins
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section
from spacrd_encoders.backbone.base import HubEncoder
from spacrd_encoders.backbone.networks import build_on_meta
from spacrd_encoders.uni import UNI

assert UNI.network
NETWORK = UNI.network
FILE = NETWORK.files[0]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of all tensors of UNI in full shape, as windows of the same few random numbers: 9 MB."""
    numbers = torch.Generator().manual_seed(0)
    steps, factors = 0.05 * torch.randn(2**20, generator=numbers), 1 + 0.1 * torch.randn(2**20, generator=numbers)
    shapes = {name: tensor.shape for name, tensor in build_on_meta(NETWORK).state_dict().items()}
    path = tmp_path_factory.mktemp("uni") / FILE
    torch.save({name: window(factors if scales(name) else steps, shape) for name, shape in shapes.items()}, path)
    return path


def scales(name: str) -> bool:
    return name.endswith(("gamma", "norm1.weight", "norm2.weight", "norm.weight"))


def window(numbers: Tensor, shape: torch.Size) -> Tensor:
    """Rows of the numbers, each starting seven after the previous one; no copy is made."""
    inner = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    row = 1 if len(shape) == 3 else 0
    return numbers.as_strided(shape, [7 if axis == row and len(shape) > 1 else step for axis, step in enumerate(inner)])


def test_the_architecture_is_that_of_the_published_weights() -> None:
    state = build_on_meta(NETWORK).state_dict()
    assert len(state) == 342
    assert sum(tensor.numel() for tensor in state.values()) == 303_350_784
    assert state["pos_embed"].shape == (1, 197, 1024)
    assert state["blocks.23.ls2.gamma"].shape == (1024,)
    assert not [name for name in state if name.startswith("head")]


def by_timm(weights: Path, tiles: Tensor) -> Tensor:
    """Embeddings computed by timm with the authors' recipe."""
    recipe: dict[str, Any] = {
        "img_size": 224,
        "patch_size": 16,
        "init_values": 1e-5,
        "num_classes": 0,
        "dynamic_img_size": True,
    }
    with torch.device("meta"):
        network = timm.create_model("vit_large_patch16_224", **recipe)
    network.load_state_dict(torch.load(weights, weights_only=True), strict=True, assign=True)
    with torch.inference_mode():
        embeddings: Tensor = network.eval()(normalize(tiles / 255, IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD))
    return embeddings


def test_a_local_file_gives_embeddings_of_1024_numbers(plugins: Plugins, weights: Path) -> None:
    uni: HubEncoder = plugins.encoders.create("uni", {"weights": weights})
    tiles = torch.randint(0, 256, (2, 3, 224, 224), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    embeddings = uni.to(torch.device("cpu")).embed(tiles)
    assert embeddings.shape == (2, 1024)
    assert embeddings.dtype == torch.float32
    assert torch.cosine_similarity(embeddings[0], embeddings[1], dim=0) < 0.999


@pytest.mark.slow
def test_a_store_holds_the_embeddings_that_timm_computes_for_the_same_patches(
    weights: Path, tmp_path: Path, make_section: MakeSection
) -> None:
    """112 um around four spots of a slide at 5 um/px, cut and resized with Pillow for comparison."""
    section = make_section(1)
    few = replace(section, counts=section.counts[[0, 5, 6, 40]].copy())
    store = SpotStore.create(tmp_path / "store")
    add_section(store, few, SectionKey("S1", "P1", "one"))
    assert main.run(["embed", str(store.path), "--weights", str(weights), "--device", "cpu", "--quiet"]) == 0
    assert section.slide
    slide, half = Image.open(section.slide.path), 56 / section.slide.um_per_px
    centres = few.counts.obs[["x_px", "y_px"]].to_numpy()
    patches = [
        np.asarray(slide.resize((224, 224), Image.Resampling.BILINEAR, box=(x - half, y - half, x + half, y + half)))
        for x, y in centres
    ]
    expected = by_timm(weights, torch.from_numpy(np.stack(patches)).movedim(-1, 1))
    stored = torch.from_numpy(SpotStore.open(store.path).embedding("S1", encoder="uni").values)
    assert torch.cosine_similarity(stored, expected).min() > 0.9999
    assert (stored - expected).norm(dim=1).max() < 0.05 * (stored[0] - stored[-1]).norm()


def test_its_recipe_is_available_before_the_network_is_built(plugins: Plugins, weights: Path) -> None:
    uni: HubEncoder = plugins.encoders.create("uni_v1", {"weights": weights})
    matches_its_card((plugins.encoders.card("uni"), uni))  # type: ignore[arg-type]
    assert uni.recipe.weights.startswith("sha256:")
    assert uni.recipe.patch_um == 112
    assert (uni.recipe.licence, uni.recipe.gated) == ("CC-BY-NC-ND-4.0", True)
    assert vars(uni)["_network"] is None


def test_other_weights_make_another_recipe(plugins: Plugins, weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    torch.save({"bias": torch.ones(1)}, other)
    recipes = [plugins.encoders.create("uni", {"weights": file}).recipe.key for file in (weights, other, weights)]
    assert recipes[0] == recipes[2] != recipes[1]


def test_weights_of_another_model_are_refused(plugins: Plugins, tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.ones(2, 2)}, tmp_path / FILE)
    uni: HubEncoder = plugins.encoders.create("uni", {"weights": tmp_path / FILE})
    with pytest.raises(
        WeightsError, match=r"lacks 342 tensors \(cls_token, .*; it has no place for 1 tensors"
    ) as refusal:
        uni.embed(torch.zeros((1, 3, 224, 224), dtype=torch.uint8))
    assert "published for this model" in refusal.value.hint


def test_a_missing_file_is_reported_at_once(plugins: Plugins, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no weights file at"):
        plugins.encoders.create("uni", {"weights": tmp_path / "nowhere.bin"})


@pytest.mark.gated
@pytest.mark.network
def test_the_published_weights_fit(plugins: Plugins) -> None:
    uni: HubEncoder = plugins.encoders.create("uni")
    assert uni.embed(torch.full((1, 3, 224, 224), 200, dtype=torch.uint8)).shape == (1, 1024)
