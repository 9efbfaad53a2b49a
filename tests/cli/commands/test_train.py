"""``spacrd train`` as a user gives it, on small sections without an image."""

import json
from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_cli.main import run
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


def test_a_precision_that_the_device_does_not_have_is_said_and_not_recorded(
    tmp_path: Path, make_section: MakeSection, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SpotStore.create(tmp_path / "store")
    for seed, patient in enumerate("AB"):
        add_section(store, make_section(seed, image=False), SectionKey(f"S{seed}", patient, f"made{seed}"))
    command = [
        "train",
        str(tmp_path / "store"),
        "-o",
        str(tmp_path / "detector"),
        "--encoder",
        "none",
        "--device",
        "cpu",
    ]
    assert run([*command, "--head", "linear", "--seeds", "1", "--precision", "tf32", "-q"]) == 0
    assert "warning: tf32 has no effect on cpu: trained in fp32" in capsys.readouterr().err
    assert "precision" not in json.loads((tmp_path / "detector" / "config.json").read_bytes())
