"""``spacrd doctor --encoder``: an encoder's licence, weights, network and one tile, each with a verdict."""

import json
import sys
from pathlib import Path

import pytest
import timm
import torch
from stand_ins.hub import COMMIT, OTHER_TOKEN, Repository, hub, python

from spacrd_cli import main
from spacrd_cli.commands import doctor_encoder
from spacrd_encoders.backbone.networks import build_on_meta
from spacrd_encoders.uni import UNI

Findings = dict[str, dict[str, str]]
DOCTOR = "import sys; from spacrd_cli.main import run; sys.exit(run(['doctor', *sys.argv[1:]]))"


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Findings]:
    code = main.run(["doctor", "--device", "cpu", "--json", "--encoder", *arguments])
    return code, findings_of(arguments[0], capsys.readouterr().out)


def findings_of(name: str, text: str) -> Findings:
    found = {finding.pop("subject"): finding for finding in json.loads(text)["findings"]}
    return {subject.removeprefix(f"{name}: "): finding for subject, finding in found.items() if name in subject}


def test_an_encoder_without_weights_embeds_a_tile(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = check(capsys, "stain")
    assert code == 0
    assert found["licence"]["found"] == "MIT"
    assert found["weights"]["found"] == "none"
    assert "no network" in found["network"]["found"]
    assert found["tile"]["found"].startswith("21 dimensions from 32 px (400 um) in ")
    assert found["tile"]["found"].endswith(" ms on cpu")


def test_parameters_tensors_and_options_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = check(capsys, "timm:test_vit", "--set", "pretrained=false", "--set", "seed=3")
    parameters = sum(tensor.numel() for tensor in timm.create_model("test_vit", num_classes=0).state_dict().values())
    assert code == 0
    assert found["weights"]["found"] == "random:3"
    assert found["network"]["found"].startswith(f"{parameters / 1e6:.2f} M parameters in ")
    assert "64 dimensions from 160 px (80 um)" in found["tile"]["found"]


@pytest.mark.slow
def test_options_are_set_as_for_embed(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = check(capsys, "timm:test_vit", "--set", "encoder.pretrained=false", "--set", "encoder.seed=4")
    assert code == 0
    assert found["weights"]["found"] == "random:4"
    assert main.run(["doctor", "--json", "--device", "cpu", "--set", "encoder.name=stain"]) == 0
    assert "tile" in findings_of("stain", capsys.readouterr().out)


@pytest.mark.slow  # a process of its own
def test_another_revision_than_the_cards_is_reported(tmp_path: Path) -> None:
    """The cache has an old ``main``, and not the revision of the card."""
    repository = tmp_path / "hub/models--owkin--phikon"
    file = repository / "snapshots" / COMMIT / "model.safetensors"
    for path, content in ((repository / "refs/main", COMMIT), (file, "weights")):
        path.parent.mkdir(parents=True)
        path.write_text(content)
    done = python("-c", DOCTOR, "--encoder", "phikon", "--json", home=tmp_path, HF_HUB_OFFLINE="1")
    weights = findings_of("phikon", done.stdout)["weights"]
    assert weights["verdict"] == "PASS"
    assert weights["found"].startswith(f"{file} (0.00 GiB, sha256 ")
    assert weights["found"].endswith("..., revision c0ffee0 instead of 057cc02)")


@pytest.mark.slow
def test_weights_that_are_not_the_published_ones_are_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert UNI.network
    shapes = {name: tensor.shape for name, tensor in build_on_meta(UNI.network).state_dict().items()}
    path = tmp_path / "own.bin"
    torch.save({name: torch.full((shape[-1],), 0.01).expand(shape) for name, shape in shapes.items()}, path)
    code, found = check(capsys, "uni", "--weights", str(path))
    assert code == 0
    assert found["licence"]["found"] == "CC-BY-NC-ND-4.0; gated: https://huggingface.co/MahmoodLab/UNI"
    assert found["weights"]["verdict"] == "WARN"
    assert found["weights"]["found"].startswith(f"{path} (0.0")
    assert found["weights"]["found"].endswith("is not the published file")
    assert found["network"]["found"].startswith("303.35 M parameters in 342 tensors, built in ")
    assert "1024 dimensions from 224 px (112 um)" in found["tile"]["found"]


def test_a_slow_tile_is_a_warning_with_the_hours_of_a_section(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor_encoder, "SLOW_TILE_S", 0.0)
    code, found = check(capsys, "stain")
    assert code == 0
    assert found["tile"]["verdict"] == "WARN"
    assert found["tile"]["remedy"].startswith("4000 spots take ")


def test_wrong_weights_fail_where_they_are_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"fc.weight": torch.ones(1)}, tmp_path / "w.bin")
    code, found = check(capsys, "uni", "--weights", str(tmp_path / "w.bin"))
    assert code == 1
    assert found["network"]["verdict"] == "FAIL"
    assert "does not fit the architecture: it lacks 342 tensors" in found["network"]["found"]
    assert "weights" in found["network"]["remedy"]
    assert "tile" not in found


@pytest.mark.parametrize(
    ("arguments", "step", "message", "hint"),
    [
        (["stane"], "name", "no encoder is named 'stane'", "did you mean stain?"),
        (["timm:resnet_50"], "weights", "timm has no model 'resnet_50'", "did you mean "),
        (["uni", "--weights", "no.bin"], "weights", "there is no weights file at no.bin", "check the path"),
        (["uni", "--set", "nonsense=1"], "weights", "encoder 'uni': unknown setting 'nonsense'", "its options are: "),
        (["stain", "--device", "cuda:99"], "name", "'cuda:99' was requested", "--device cpu"),
    ],
)
def test_the_first_failure_is_reported_with_its_remedy(
    arguments: list[str], step: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = check(capsys, *arguments)
    assert code == 1
    assert found[step]["verdict"] == "FAIL"
    assert found[step]["found"].startswith(message)
    assert found[step]["remedy"].startswith(hint)
    assert "tile" not in found


def test_a_third_party_encoder_that_breaks_its_contract_fails(
    install: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("mylab")  # type: ignore[operator]
    import mylab_spacrd.components as lab  # noqa: PLC0415 - installed by this test

    monkeypatch.setattr(lab.Colour, "embed", lambda _, tiles: tiles.float().mean(dim=(2, 3)))
    code, found = check(capsys, "colour")
    assert code == 1
    assert found["tile"]["found"].endswith("its recipe has 6 finite dimensions")
    assert found["tile"]["remedy"] == "spacrd plugins check colour"


def test_an_encoder_on_a_machine_without_torch_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "spacrd_core.devices", raising=False)
    code, found = check(capsys, "stain")
    assert code == 1
    assert found["name"]["found"].startswith("a library cannot be imported: ")


@pytest.mark.slow  # tests/encoders has gated weights
def test_gated_weights_are_reported_without_the_token(tmp_path: Path) -> None:
    with hub() as server:
        server.repositories["MahmoodLab/UNI"] = Repository(granted=frozenset())
        arguments = ("-c", DOCTOR, "--encoder", "uni", "--json")
        done = python(*arguments, home=tmp_path, HF_ENDPOINT=server.address, HF_TOKEN=OTHER_TOKEN)
    found = findings_of("uni", done.stdout)
    assert done.returncode == 1
    assert found["licence"]["verdict"] == "PASS"
    assert found["weights"]["verdict"] == "FAIL"
    assert "MahmoodLab/UNI" in found["weights"]["found"]
    assert "has no access (403)" in found["weights"]["found"]
    assert "request access at https://huggingface.co/MahmoodLab/UNI" in found["weights"]["remedy"]


def test_the_table_shows_verdict_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--encoder", "stane"]) == 1
    shown = capsys.readouterr().out
    assert "what to do" in shown
    assert "FAIL" in shown
    assert "did you mean stain?" in shown
