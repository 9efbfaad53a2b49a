"""Encoders whose weights come from the Hub, all the way: asked for by name, fetched, checked, built, embedding."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save
from stand_ins.hub import Repository, hub, python
from timm.models import save_for_hf

from spacrd_encoders import kaiko
from spacrd_encoders.backbone.networks import outline
from spacrd_encoders.uni import UNI

if TYPE_CHECKING:
    from pathlib import Path

# Creates encoders one after the other, embeds two tiles by each, and prints what became of it.
EMBED = """
import json, sys, torch
from safetensors.torch import save_file
from spacrd_core.errors import SpacrdError
from spacrd_core.plugins import load_plugins
encoders, found = load_plugins().encoders, {}
for case, name, options in json.loads(sys.argv[1]):
    try:
        encoder = encoders.create(name, options)
        px = encoder.recipe.input_px
        numbers = torch.Generator().manual_seed(0)
        tiles = torch.randint(0, 256, (2, 3, px, px), generator=numbers, dtype=torch.uint8)
        save_file({"embeddings": encoder.embed(tiles), "tiles": tiles}, f"{sys.argv[2]}/{case}")
        alike = len({encoder.recipe, encoders.create(name, options).recipe})
        found[case] = {"recipe": vars(encoder.recipe), "recipes": alike, "canonical": encoders.canonical(name)}
    except SpacrdError as error:
        found[case] = {"message": str(error), "hint": error.hint}
print(json.dumps(found))
"""
KAIKO: Any = next(card.network for card in kaiko.CARDS if card.name == "kaiko-s16")
REVISION = UNI.network.revision if UNI.network else ""
PIXELS = {"mean": (0.7, 0.6, 0.7), "std": (0.2, 0.2, 0.2)}


@dataclass(frozen=True)
class Found:
    """What became of every encoder with the Hub there and, later, without it; and what the Hub was asked."""

    home: Path
    online: dict[str, Any]
    offline: dict[str, Any]
    asked: list[str]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Two Pythons do it all: one with the Hub, then one offline with the same cache."""
    home = tmp_path_factory.mktemp("home")
    files = saved(home / "saved")
    own = str(home / "saved" / "model.safetensors")
    cases: list[tuple[str, str, dict[str, str]]] = [
        ("repository", "hf-hub:lab/my-vit", {}),
        *((name, f"hf-hub:lab/{name}", {}) for name in ("transformers", "torn", "unknown", "odd", "other", "bare")),
        ("own file", "hf-hub:lab/bare", {"weights": own}),
        ("lacking", "timm:test_vit", {}),
        ("cut", "timm:test_resnet", {}),
        ("changed", "uni", {}),
        ("revision", "phikon", {"revision": "v2"}),
        ("no revision", "phikon", {"revision": "v3"}),
        ("catalogue", "kaiko-s16", {}),
    ]
    absent = [("uni", "uni2", {}), ("timm", "timm:test_efficientnet", {}), ("hub", "hf-hub:lab/new", {})]
    with hub() as server:
        server.repositories = repositories(files)
        online = embed(cases, home, HF_ENDPOINT=server.address)
        return Found(home, online, embed([cases[0], cases[-1], *absent], home, HF_HUB_OFFLINE="1"), server.asked)


def saved(folder: Path) -> dict[str, bytes]:
    """The files of a repository, as timm saves a model for the Hub."""
    torch.manual_seed(0)
    config = {"pretrained_cfg": {"license": "mit", **PIXELS}}
    network = timm.create_model("test_vit", num_classes=10)
    save_for_hf(network, folder, model_config=config, safe_serialization=True)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def repositories(files: dict[str, bytes]) -> dict[str, Repository]:
    def with_config(**changes: object) -> Repository:
        return Repository({**files, "config.json": json.dumps(json.loads(files["config.json"]) | changes).encode()})

    torch.manual_seed(0)
    tensors = timm.create_model("test_vit").state_dict()
    del tensors["blocks.0.attn.qkv.bias"]
    return {
        "lab/my-vit": Repository(files),
        "lab/transformers": Repository({"config.json": b'{"model_type": "dinov2"}'}),
        "lab/torn": Repository({"config.json": b'{"architecture": '}),
        "lab/unknown": with_config(architecture="no_vit"),
        "lab/odd": with_config(model_args={"no": 1}),
        "lab/other": Repository({**files, "model.safetensors": save({"fc.weight": torch.ones(1)})}),
        "lab/bare": Repository({"config.json": files["config.json"]}),
        "timm/test_vit.r160_in1k": Repository({"model.safetensors": save(tensors)}),
        "timm/test_resnet.r160_in1k": Repository({"model.safetensors": files["model.safetensors"][:5000]}),
        "MahmoodLab/UNI": Repository({"pytorch_model.bin": b"others"}, revisions=("main", REVISION)),
        str(KAIKO.repo): Repository({"model.safetensors": small_file()}),
        "owkin/phikon": Repository({"model.safetensors": b"{"}, revisions=("v2",)),
    }


def small_file() -> bytes:
    """All tensors of Kaiko's ViT-S/16, each one row of numbers repeated: full shapes in little room."""
    shapes = {name: tensor.shape for name, tensor in outline(KAIKO).state_dict().items()}
    numbers = torch.Generator().manual_seed(0)
    rows = {name: torch.randn(shape[-1], generator=numbers).expand(shape) for name, shape in shapes.items()}
    file = io.BytesIO()
    torch.save(rows, file)
    return file.getvalue()


def embed(cases: list[Any], home: Path, **settings: str) -> dict[str, Any]:
    done = python("-c", EMBED, json.dumps(cases), str(home), home=home, **settings)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_repository_of_the_hub_is_an_encoder_by_its_own_configuration(found: Found) -> None:
    repository = found.online["repository"]
    recipe = repository["recipe"]
    assert (repository["canonical"], repository["recipes"]) == ("hf-hub:lab/my-vit", 1)
    assert recipe["weights"].startswith("sha256:")
    assert (recipe["mean"], recipe["std"], recipe["licence"]) == ([0.7, 0.6, 0.7], [0.2, 0.2, 0.2], "mit")
    assert (recipe["input_px"], recipe["dim"], recipe["pooling"]) == (160, 64, "cls")


def test_its_embeddings_are_timms_own(found: Found) -> None:
    network = timm.create_model("test_vit", num_classes=10)
    network.load_state_dict(load_file(found.home / "saved" / "model.safetensors"))
    network.reset_classifier(0)
    result = load_file(found.home / "repository")
    mean, std = (torch.tensor(PIXELS[fact])[:, None, None] for fact in ("mean", "std"))
    with torch.inference_mode():
        expected = network.eval()((result["tiles"] / 255 - mean) / std)
    assert torch.allclose(result["embeddings"], expected, atol=1e-4)


def test_it_is_found_offline_afterwards_with_the_same_recipe(found: Found) -> None:
    assert found.offline["repository"]["recipe"] == found.online["repository"]["recipe"]


def test_an_encoder_of_the_catalogue_comes_from_the_hub_once_and_is_there_offline(found: Found) -> None:
    recipe = found.online["catalogue"]["recipe"]
    assert recipe["weights"] == f"sha256:{hashlib.sha256(small_file()).hexdigest()}"
    assert load_file(found.home / "catalogue")["embeddings"].shape == (2, 384)
    assert found.offline["catalogue"]["recipe"] == recipe


def test_its_weights_may_come_from_a_file(found: Found) -> None:
    assert found.online["own file"]["recipe"]["weights"] == found.online["repository"]["recipe"]["weights"]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("transformers", "lab/transformers is not a timm model: its config.json names no architecture"),
        ("torn", "config.json is damaged: it is not JSON"),
        ("unknown", "the config.json of lab/unknown describes no network of timm: Unknown model (no_vit)"),
        ("odd", "the config.json of lab/odd describes no network of timm: "),
        ("other", "model.safetensors does not fit the architecture: it lacks"),
        ("bare", "repository lab/bare has no file model.safetensors or pytorch_model.bin"),
        # timm alone loads a file that lacks tensors without a word where it leaves the classifier out.
        ("lacking", "model.safetensors does not fit timm:test_vit: "),
        ("cut", "model.safetensors is a damaged safetensors file"),
        ("changed", "pytorch_model.bin is not the file that was published: its sha256 is"),
        ("revision", "is neither a safetensors nor a PyTorch weights file"),
        ("no revision", "repository owkin/phikon has no revision 'v3'"),
    ],
)
def test_what_is_wrong_with_a_repository_is_told(found: Found, case: str, says: str) -> None:
    assert says in found.online[case]["message"]
    assert found.online[case]["hint"]


def test_the_revision_of_the_card_is_asked_for_and_its_checksum_expected(found: Found) -> None:
    assert f"HEAD /MahmoodLab/UNI/resolve/{REVISION}/pytorch_model.bin" in found.asked
    assert found.online["changed"]["message"].endswith(", not 56ef09b44a25...")


def test_a_damaged_file_in_the_cache_is_to_be_deleted_first(found: Found) -> None:
    assert "in the Hub's cache delete it first" in found.online["cut"]["hint"]


@pytest.mark.parametrize(
    ("case", "repo"),
    [("uni", "MahmoodLab/UNI2-h"), ("timm", "timm/test_efficientnet.r160_in1k"), ("hub", "lab/new")],
)
def test_all_kinds_of_encoders_say_the_same_sentences(found: Found, case: str, repo: str) -> None:
    sentence = f"HF_HUB_OFFLINE forbids to ask the Hub, and the weights of {repo} are not in the cache"
    assert found.offline[case]["message"].startswith(sentence)
