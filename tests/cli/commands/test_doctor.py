"""``spacrd doctor``: what this machine has, and exit 1 where something is wrong."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from spacrd_cli import main
from spacrd_cli.commands import doctor

if TYPE_CHECKING:
    from conftest import Install


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {finding["subject"]: finding for finding in json.loads(capsys.readouterr().out)}


def test_a_sound_machine_is_told_its_versions_memory_disk_and_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--json"]) == 0
    found = findings(capsys)
    assert {"spacrd", "python", "torch", "timm", "memory", "disk", "cpu", "plugins"} <= set(found)
    assert {finding["verdict"] for finding in found.values()} == {"PASS"}


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
    assert "a_library_that_nobody_has" in shown


def test_a_library_that_cannot_be_imported_is_a_finding(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken_import")
    monkeypatch.setattr(doctor, "LIBRARIES", ("broken-import",))
    assert main.run(["doctor", "--json"]) == 1
    assert "cannot be imported: ModuleNotFoundError" in findings(capsys)["broken-import"]["found"]


def test_a_machine_without_torch_can_still_be_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main.run(["doctor", "--json"]) == 1
    found = findings(capsys)
    assert "cannot be imported" in found["torch"]["found"]
    assert "cpu" not in found
    assert "plugins" in found


@pytest.mark.parametrize(
    "options", [["--device", "cpu"], ["--weights", "w.bin"], ["--set", "encoder.seed=1"]], ids=lambda given: given[0]
)
def test_what_is_said_of_no_encoder_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", *options]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        "error: Invalid value for --weights/--device/--set: there is no encoder to try; name one by --encoder\n"
        "hint: spacrd doctor --help\n"
    )


@pytest.mark.gpu
def test_a_gpu_is_told_by_name_with_its_free_memory(capsys: pytest.CaptureFixture[str]) -> None:
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
