"""Encoders with weights from the Hub, end to end: created by name, downloaded, verified, built, embedding."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save
from stand_ins.hub import Repository, hub, python
from timm.models import save_for_hf

from spacrd_encoders import kaiko
from spacrd_encoders.backbone.networks import build_on_meta
from spacrd_encoders.uni import UNI

pytestmark = pytest.mark.slow  # two processes import PyTorch

# Creates encoders one after the other, embeds two tiles by each, and prints the outcome.
EMBED = """
import json, sys, torch
from safetensors.torch import save_file
from spacrd_core.errors import SpacrdError
from spacrd_core.plugins import load_plugins
encoders, outcomes = load_plugins().encoders, {}
for case, name, options in json.loads(sys.argv[1]):
    try:
        encoder = encoders.create(name, options)
        px = encoder.recipe.input_px
        numbers = torch.Generator().manual_seed(0)
        tiles = torch.randint(0, 256, (2, 3, px, px), generator=numbers, dtype=torch.uint8)
        save_file({"embeddings": encoder.embed(tiles), "tiles": tiles}, f"{sys.argv[2]}/{case}")
        alike = len({encoder.recipe, encoders.create(name, options).recipe})
        outcomes[case] = {"recipe": vars(encoder.recipe), "recipes": alike, "canonical": encoders.canonical(name)}
    except SpacrdError as error:
        outcomes[case] = {"message": str(error), "hint": error.hint}
print(json.dumps(outcomes))
"""
KAIKO: Any = next(card.network for card in kaiko.CARDS if card.name == "kaiko-s16")
REVISION = UNI.network.revision if UNI.network else ""
PIXELS = {"mean": (0.7, 0.6, 0.7), "std": (0.2, 0.2, 0.2)}


@dataclass(frozen=True)
class Outcomes:
    """The outcome of every encoder with the Hub online and then offline, and the requests to the Hub."""

    home: Path
    online: dict[str, Any]
    offline: dict[str, Any]
    requests: list[str]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Run two Python processes: one with the Hub, then one offline with the same cache."""
    home = tmp_path_factory.mktemp("home")
    files = saved(home / "saved")
    local_file = str(home / "saved" / "model.safetensors")
    cases: list[tuple[str, str, dict[str, str]]] = [
        ("repository", "hf-hub:lab/my-vit", {}),
        *((name, f"hf-hub:lab/{name}", {}) for name in ("transformers", "torn", "unknown", "odd", "other", "bare")),
        ("own file", "hf-hub:lab/bare", {"weights": local_file}),
        ("lacking", "timm:test_vit", {}),
        ("cut", "timm:test_resnet", {}),
        ("changed", "uni", {}),
        ("revision", "phikon", {"revision": "v2"}),
        ("no revision", "phikon", {"revision": "v3"}),
        ("catalogue", "kaiko-s16", {}),
    ]
    absent: list[tuple[str, str, dict[str, str]]] = [
        ("uni", "uni2", {}),
        ("timm", "timm:test_efficientnet", {}),
        ("hub", "hf-hub:lab/new", {}),
    ]
    with hub() as server:
        server.repositories = repositories(files)
        online = embed(cases, home, HF_ENDPOINT=server.address)
        return Outcomes(home, online, embed([cases[0], cases[-1], *absent], home, HF_HUB_OFFLINE="1"), server.requests)


def saved(folder: Path) -> dict[str, bytes]:
    """The files of a repository, as timm saves a model for the Hub."""
    torch.manual_seed(0)
    config = {"pretrained_cfg": {"license": "mit", **PIXELS}}
    network = timm.create_model("test_vit", num_classes=10)
    save_for_hf(network, str(folder), model_config=config, safe_serialization=True)
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
    """All tensors of Kaiko's ViT-S/16, each a repeated row of numbers: full shapes in little space."""
    shapes = {name: tensor.shape for name, tensor in build_on_meta(KAIKO).state_dict().items()}
    numbers = torch.Generator().manual_seed(0)
    rows = {name: torch.randn(shape[-1], generator=numbers).expand(shape) for name, shape in shapes.items()}
    file = io.BytesIO()
    torch.save(rows, file)
    return file.getvalue()


def embed(cases: list[Any], home: Path, **settings: str) -> dict[str, Any]:
    done = python("-c", EMBED, json.dumps(cases), str(home), home=home, **settings)
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, Any] = json.loads(done.stdout)
    return outcomes


def test_a_repository_of_the_hub_is_an_encoder_by_its_own_configuration(outcomes: Outcomes) -> None:
    repository = outcomes.online["repository"]
    recipe = repository["recipe"]
    assert (repository["canonical"], repository["recipes"]) == ("hf-hub:lab/my-vit", 1)
    assert recipe["weights"].startswith("sha256:")
    assert (recipe["mean"], recipe["std"], recipe["licence"]) == ([0.7, 0.6, 0.7], [0.2, 0.2, 0.2], "mit")
    assert (recipe["input_px"], recipe["dim"], recipe["pooling"]) == (160, 64, "cls")


def test_its_embeddings_are_timms_own(outcomes: Outcomes) -> None:
    network: Any = timm.create_model("test_vit", num_classes=10)
    network.load_state_dict(load_file(outcomes.home / "saved" / "model.safetensors"))
    network.reset_classifier(0)
    result = load_file(outcomes.home / "repository")
    mean, std = (torch.tensor(PIXELS[fact])[:, None, None] for fact in ("mean", "std"))
    with torch.inference_mode():
        expected = network.eval()((result["tiles"] / 255 - mean) / std)
    assert torch.allclose(result["embeddings"], expected, atol=1e-4)


def test_it_is_found_offline_afterwards_with_the_same_recipe(outcomes: Outcomes) -> None:
    assert outcomes.offline["repository"]["recipe"] == outcomes.online["repository"]["recipe"]


def test_an_encoder_of_the_catalogue_comes_from_the_hub_once_and_is_there_offline(outcomes: Outcomes) -> None:
    recipe = outcomes.online["catalogue"]["recipe"]
    assert recipe["weights"] == f"sha256:{hashlib.sha256(small_file()).hexdigest()}"
    assert load_file(outcomes.home / "catalogue")["embeddings"].shape == (2, 384)
    assert outcomes.offline["catalogue"]["recipe"] == recipe


def test_its_weights_may_come_from_a_file(outcomes: Outcomes) -> None:
    assert outcomes.online["own file"]["recipe"]["weights"] == outcomes.online["repository"]["recipe"]["weights"]


@pytest.mark.parametrize(
    ("case", "phrase"),
    [
        ("transformers", "lab/transformers is not a timm model: its config.json has no architecture"),
        ("torn", "config.json is damaged: it is not JSON"),
        ("unknown", "the config.json of lab/unknown: Unknown model (no_vit)"),
        ("odd", "timm cannot build a network from the config.json of lab/odd: "),
        ("other", "model.safetensors does not fit the architecture: it lacks"),
        ("bare", "repository lab/bare has no file model.safetensors or pytorch_model.bin"),
        # timm alone loads a file that lacks tensors without a word where it leaves the classifier out.
        ("lacking", "model.safetensors does not fit timm:test_vit: "),
        ("cut", "model.safetensors is a damaged safetensors file"),
        ("changed", "pytorch_model.bin is not the file that was published: its sha256 is"),
        ("revision", "is neither a safetensors nor a PyTorch weights file"),
        ("no revision", "owkin/phikon: the repository has no revision 'v3'"),
    ],
)
def test_the_error_names_what_is_wrong_with_a_repository(outcomes: Outcomes, case: str, phrase: str) -> None:
    assert phrase in outcomes.online[case]["message"]
    assert outcomes.online[case]["hint"]


def test_the_revision_of_the_card_is_required_and_its_checksum_expected(outcomes: Outcomes) -> None:
    assert f"HEAD /MahmoodLab/UNI/resolve/{REVISION}/pytorch_model.bin" in outcomes.requests
    assert outcomes.online["changed"]["message"].endswith(", not 56ef09b44a25...")


def test_a_damaged_file_in_the_cache_is_to_be_deleted_first(outcomes: Outcomes) -> None:
    assert "in the Hub's cache delete it first" in outcomes.online["cut"]["hint"]


@pytest.mark.parametrize(
    ("case", "repo"),
    [("uni", "MahmoodLab/UNI2-h"), ("timm", "timm/test_efficientnet.r160_in1k"), ("hub", "lab/new")],
)
def test_all_kinds_of_encoders_report_the_same_error(outcomes: Outcomes, case: str, repo: str) -> None:
    message = f"cannot download the weights from {repo}: HF_HUB_OFFLINE is set"
    assert outcomes.offline[case]["message"].startswith(message)
