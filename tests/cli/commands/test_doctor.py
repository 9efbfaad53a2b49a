"""``spacrd doctor``: findings about this machine, and exit 1 if a check fails."""

import json
import os
import sys
from importlib import metadata
from pathlib import Path

import pytest
from conftest import Install

from spacrd_cli import main
from spacrd_cli.commands import doctor, doctor_machine


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {finding["subject"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}


def test_a_sound_machine_gets_its_versions_memory_disk_and_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--json"]) == 0
    found = findings(capsys)
    assert {"spacrd", "python", "torch", "timm", "hdf5", "memory", "disk", "cpu", "plugins"} <= set(found)
    assert {"openslide-python", "distributed", "spatialdata", "temporary files", "weights"} <= set(found)
    assert {finding["verdict"] for subject, finding in found.items() if subject != "hub token"} == {"PASS"}


@pytest.mark.parametrize(("token", "verdict"), [("hf_secret", "PASS"), ("", "WARN")])
def test_the_token_of_the_hub_is_looked_for_and_never_shown(
    token: str, verdict: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    assert main.run(["doctor", "--json"]) == 0
    shown = capsys.readouterr().out
    assert token == "" or token not in shown
    found = {finding["subject"]: finding for finding in json.loads(shown)["findings"]}
    assert found["hub token"]["verdict"] == verdict


def test_an_optional_library_that_is_missing_has_a_purpose_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor_machine, "OPTIONAL", (("a-library-that-nobody-has", "nothing", "wsi", "slides"),))
    assert main.run(["doctor", "--json"]) == 0
    missing = findings(capsys)["a-library-that-nobody-has"]
    assert missing["found"] == "not installed; needed for slides"
    assert (missing["verdict"], missing["remedy"]) == ("WARN", "pip install 'spacrd[wsi]'")


def test_a_folder_that_cannot_be_written_to_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main.run(["doctor", "--json"]) == 0
    found = findings(capsys)
    assert {found[subject]["verdict"] for subject in ("disk", "temporary files", "weights")} == {"WARN"}


def test_every_finding_has_a_verdict_and_what_is_wrong_a_remedy(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken_import")
    assert main.run(["doctor", "--encoder", "gpfm", "--weights", "nowhere.pth", "--json"]) == 1
    found = findings(capsys)
    verdicts = {subject: finding["verdict"] for subject, finding in found.items()}
    assert {"PASS", "WARN", "FAIL"} == set(verdicts.values())
    assert verdicts["gpfm: licence"] == "WARN"
    assert verdicts["gpfm: weights"] == "FAIL"
    assert all(bool(finding["remedy"]) == (finding["verdict"] != "PASS") for finding in found.values())


def test_a_broken_plugin_is_a_finding(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("broken_import")
    assert main.run(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "broken-import:broken" in shown
    assert "a_missing_library" in shown


def test_a_library_that_cannot_be_imported_is_a_finding(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken_import")
    monkeypatch.setattr(doctor, "LIBRARIES", ("broken-import",))
    assert main.run(["doctor", "--json"]) == 1
    assert "cannot be imported: ModuleNotFoundError" in findings(capsys)["broken-import"]["found"]


def test_a_machine_without_torch_can_still_be_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main.run(["doctor", "--json"]) == 1
    found = findings(capsys)
    assert "cannot be imported" in found["torch"]["found"]
    assert "cpu" not in found
    assert "plugins" in found


@pytest.mark.parametrize(
    "options",
    [["--device", "cpu"], ["--weights", "w.bin"], ["--set", "encoder.seed=1"]],
    ids=lambda options: options[0],
)
def test_options_of_an_encoder_without_an_encoder_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["doctor", *options]) == 2
    result = capsys.readouterr()
    assert result.out == ""
    assert "--weights/--device/--set: no encoder to check" in result.err
    assert "hint: spacrd doctor --help" in result.err


@pytest.mark.gpu
def test_a_gpu_is_listed_by_name_with_its_free_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--encoder", "stain", "--json"]) == 0
    found = findings(capsys)
    assert "GiB free" in found["cuda:0"]["found"]
    assert "on cuda" in found["stain: tile"]["found"]


def test_a_library_that_is_missing_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "LIBRARIES", ("a-library-that-nobody-has",))
    assert main.run(["doctor", "--json"]) == 1
    missing = findings(capsys)["a-library-that-nobody-has"]
    assert (missing["found"], missing["verdict"], missing["remedy"]) == ("not installed", "FAIL", "pip install spacrd")


@pytest.mark.parametrize(
    ("library", "installed"), [("torch", "2.9.1+cu128"), ("torch", "2.5.1"), ("pillow", "12.1.1"), ("jinja2", "3.1.5")]
)
def test_a_library_below_its_security_floor_fails(
    library: str, installed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: installed if name == library else metadata.version(name))
    assert main.run(["doctor", "--json"]) == 1
    found = findings(capsys)
    assert [subject for subject, finding in found.items() if finding["verdict"] == "FAIL"] == [library]
    assert found[library]["verdict"] == "FAIL"
    assert "CVE-" in found[library]["found"]
    assert found[library]["remedy"].startswith(f"pip install '{library}>=")


@pytest.mark.parametrize(
    ("installed", "verdict"),
    [("1.14.2", "FAIL"), ("1.14.4", "WARN"), ("1.14.4-2", "PASS"), ("1.14.6", "PASS"), ("2.0.0", "PASS")],
)
def test_hdf5_is_checked_inside_h5py_and_1_14_4_may_be_either(
    installed: str, verdict: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("h5py.version.hdf5_version", installed)
    assert main.run(["doctor", "--json"]) == (1 if verdict == "FAIL" else 0)
    finding = findings(capsys)["hdf5"]
    assert finding["verdict"] == verdict
    assert ("CVE-2026-26200" in finding["found"]) == ("h5py" in finding["remedy"]) == (verdict != "PASS")
