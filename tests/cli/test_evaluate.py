"""``spacrd evaluate`` as a user gives it, on small sections without an image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from spacrd_cli.main import run
from spacrd_core.store.add import Ticket, add_section
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSection

KEYS = {
    "head",
    "modalities",
    "against_head",
    "against_modalities",
    "patients",
    "auc_difference",
    "auc_low",
    "auc_high",
    "better",
    "worse",
    "lowest",
    "by_patient",
}


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> Path:
    """Three patients, genes only."""
    store = SpotStore.create(tmp_path / "store")
    for seed, patient in enumerate("ABC"):
        add_section(store, make_section(seed, image=False), Ticket(f"S{seed}", patient, f"made{seed}"))
    return tmp_path / "store"


@pytest.fixture
def evaluated(store: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """A variant of the control on three patients, two seeds."""
    command = ["evaluate", str(store), "--encoder", "none", "--head", "linear+components=2", "--jobs", "1"]
    assert run([*command, "--seeds", "2", "--json", "-q"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_variant_stands_beside_the_control_under_its_label(evaluated: dict[str, Any]) -> None:
    labels = ["linear+components=2", "linear"]
    assert evaluated["protocol"]["heads"] == labels
    assert evaluated["protocol"]["control"] == "linear"
    assert evaluated["protocol"]["head_options"] == {"linear+components=2": {"components": 2}}
    assert [line["head"] for line in evaluated["summary"]] == labels
    aucs = [[row["auc"] for row in evaluated["rows"] if row["head"] == label] for label in labels]
    assert len(aucs[0]) == len(aucs[1]) == 2 * 3
    assert aucs[0] != aucs[1], "the option was heard"


def test_means_have_intervals_and_the_words_for_them(evaluated: dict[str, Any]) -> None:
    for line in evaluated["summary"]:
        assert line["auc_low"] <= line["auc_mean"] <= line["auc_high"]
        assert set(line["auc_by_patient"]) == {row["patient"] for row in evaluated["rows"]}
        assert set(line["auc_by_seed"]) == {"42", "43"}
    assert "with 3 of them they are rough" in evaluated["protocol"]["interval"]


def test_differences_are_of_the_same_patients(evaluated: dict[str, Any]) -> None:
    (difference,) = evaluated["differences"]
    assert set(difference) == KEYS
    variant, control = (line["auc_by_patient"] for line in evaluated["summary"])
    assert difference["by_patient"] == pytest.approx({name: variant[name] - control[name] for name in control})


def test_a_mistaken_variant_ends_with_a_sentence_and_a_remedy(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(store), "--encoder", "none", "--head", "linear+dream=1", "-q"]) == 1
    told = capsys.readouterr().err
    assert "head 'linear': dream: is no setting" in told
    assert "hint: its options are: components, inverse_penalty" in told


def test_help_shows_how_a_variant_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    run(["evaluate", "--help"])
    assert "spacrd+align_epochs=0" in "".join(capsys.readouterr().out.replace("│", "").split())
