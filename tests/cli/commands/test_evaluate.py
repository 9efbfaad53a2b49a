"""``spacrd evaluate`` as a user gives it, on small sections without an image."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import MakeSection

from spacrd_cli.main import run
from spacrd_core._version import __version__
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.devices import default_jobs
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

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
        add_section(store, make_section(seed, image=False), SectionKey(f"S{seed}", patient, f"made{seed}"))
    return tmp_path / "store"


@pytest.fixture
def evaluated(store: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """A variant of the baseline on three patients, two seeds."""
    command = ["evaluate", str(store), "--encoder", "none", "--head", "linear+components=2", "--jobs", "1"]
    assert run([*command, "--seeds", "2", "--json", "-q"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_variant_is_listed_beside_the_baseline_under_its_label(evaluated: dict[str, Any]) -> None:
    labels = ["linear+components=2", "linear"]
    assert evaluated["protocol"]["heads"] == labels
    assert evaluated["protocol"]["control"] == "linear"
    assert [line["head"] for line in evaluated["summary"]] == labels
    aucs = [[row["auc"] for row in evaluated["rows"] if row["head"] == label] for label in labels]
    assert len(aucs[0]) == len(aucs[1]) == 2 * 3
    assert aucs[0] != aucs[1], "the option has an effect"


@pytest.mark.slow
def test_the_protocol_holds_what_every_head_was_given_and_read(evaluated: dict[str, Any]) -> None:
    protocol = evaluated["protocol"]
    assert protocol["spacrd"] == __version__
    options = {"components": 20, "inverse_penalty": 1.0}
    assert protocol["head_options"] == {"linear+components=2": options | {"components": 2}, "linear": options}
    assert protocol["cohort"]["linear"] == CohortOptions().model_dump()


@pytest.mark.slow
def test_the_protocol_holds_the_precision_that_the_device_has(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", str(store), "--encoder", "none", "--head", "linear", "--device", "cpu", "--jobs", "1"]
    assert run([*command, "--precision", "tf32", "--set", "calibrate=false", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["protocol"]["precision"] == {"linear": "fp32"}
    assert "warning: tf32 has no effect on cpu: trained in fp32" in captured.err


@pytest.mark.slow
def test_the_protocol_states_that_calibration_was_switched_off(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", str(store), "--encoder", "none", "--head", "linear", "--jobs", "1", "--json", "-q"]
    assert run([*command, "--set", "calibrate=false"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "threshold 0.5" in document["protocol"]["f1"]
    assert "calibration was switched off" in document["protocol"]["f1"]
    assert {row["threshold"] for row in document["rows"]} == {0.5}


@pytest.mark.slow
def test_the_protocol_has_the_cohort_defaults_of_each_head(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brief = "spacrd+reconstruct_epochs=0+detect_epochs=1"
    command = ["evaluate", str(store), "--encoder", "none", "--head", brief, "--jobs", "1", "--json", "-q"]
    assert run([*command, "--set", "cohort.panel_genes=20"]) == 0
    cohort = json.loads(capsys.readouterr().out)["protocol"]["cohort"]
    assert (cohort[brief]["gene_centring"], cohort["linear"]["gene_centring"]) == (True, False)
    assert {read["panel_genes"] for read in cohort.values()} == {20}


def test_processes_share_the_cores_and_one_has_a_gpu_to_itself() -> None:
    assert default_jobs(torch.device("cpu")) == os.cpu_count()
    assert default_jobs(torch.device("cuda")) == 1


@pytest.mark.slow
def test_means_have_intervals_and_a_note_on_them(evaluated: dict[str, Any]) -> None:
    for line in evaluated["summary"]:
        assert line["auc_low"] <= line["auc_mean"] <= line["auc_high"]
        assert set(line["auc_by_patient"]) == {row["patient"] for row in evaluated["rows"]}
        assert set(line["auc_by_seed"]) == {"42", "43"}
    assert "with 3 patients they are approximate" in evaluated["protocol"]["interval"]


def test_the_protocol_says_what_was_held_out_together(
    evaluated: dict[str, Any], store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated["protocol"]["folds"] == "each patient alone"
    assert evaluated["protocol"]["held_out_together"] == {"genes": [["A"], ["B"], ["C"]]}
    command = ["evaluate", str(store), "--encoder", "none", "--head", "linear", "--jobs", "1", "-q"]
    assert run([*command, "--folds", "2"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Held out: 2 groups of patients, dealt by seed 42." in shown


@pytest.mark.slow
@pytest.mark.parametrize("folds", ["1", "sections"])
def test_folds_are_a_number_of_groups_or_patients(store: Path, capsys: pytest.CaptureFixture[str], folds: str) -> None:
    assert run(["evaluate", str(store), "--encoder", "none", "--folds", folds, "-q"]) == 1
    assert f"folds: should be a number of groups, 2 or more, or 'patients', found '{folds}'" in capsys.readouterr().err


@pytest.mark.slow
def test_differences_are_of_the_same_patients(evaluated: dict[str, Any]) -> None:
    (difference,) = evaluated["differences"]
    assert set(difference) == KEYS
    variant, baseline = (line["auc_by_patient"] for line in evaluated["summary"])
    assert difference["by_patient"] == pytest.approx({name: variant[name] - baseline[name] for name in baseline})


@pytest.mark.slow
def test_a_mistaken_variant_ends_with_a_sentence_and_a_remedy(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(store), "--encoder", "none", "--head", "linear+dream=1", "-q"]) == 1
    stderr = capsys.readouterr().err
    assert "head 'linear': unknown setting 'dream'" in stderr
    assert "hint: its options are: components, inverse_penalty" in stderr


def test_help_shows_how_a_variant_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    run(["evaluate", "--help"])
    assert "spacrd+align_epochs=0" in "".join(capsys.readouterr().out.replace("│", "").split())
