"""``spacrd detect``: the threshold that was used is in every file it writes."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from stand_ins.aneuploid import clone

from spacrd_cli.main import run
from spacrd_core.copy_number.result import SUPPORTED
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.store.store import SpotStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three sections, and a detector by genes alone that never saw S3."""
    folder = tmp_path_factory.mktemp("detect")
    cohort = write_demo_cohort(folder / "cohort", platforms=("st",) * 3)
    assert run(["ingest", f"{folder}/store", "--cohort", str(cohort), "-q"]) == 0
    train = ["train", f"{folder}/store", "-o", f"{folder}/detector", "--encoder", "none", "--head", "linear"]
    assert run([*train, "--seeds", "1", "--exclude", "S3", "-q"]) == 0
    return folder


def detected(folder: Path, out: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    capsys.readouterr()
    command = ["detect", f"{folder}/store", f"{folder}/detector", "--section", "S3", "-o", str(out), "--json", "-q"]
    assert run([*command, *options]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)["sections"]["S3"]
    return document


def test_the_threshold_that_was_used_travels_into_everything_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = detected(folder, tmp_path / "own", capsys)
    document = detected(folder, tmp_path / "out", capsys, "--threshold", "prevalence=0.25")
    rule = document["threshold_rule"]
    assert document["threshold"] != own["threshold"]
    assert "25 % most probable spots" in rule
    spots = pd.read_csv(tmp_path / "out" / "S3.spots.csv")
    assert (spots["probability"] >= document["threshold"]).mean() == pytest.approx(0.25, abs=0.01)
    origin = ad.read_h5ad(tmp_path / "out" / "S3.h5ad").uns["spacrd"]
    assert (origin["threshold"], origin["threshold_rule"]) == (document["threshold"], rule)
    regions = [
        feature["properties"]["measurements"]["SpaCRD threshold"]
        for feature in json.loads((tmp_path / "out" / "S3.geojson").read_text())["features"]
        if feature["properties"]["objectType"] == "annotation"
    ]
    assert set(regions) == {document["threshold"]}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["sections"]["S3"]["threshold"] == document["threshold"]
    assert manifest["provenance"]["threshold_rule"] == f"{document['threshold']:.2f}, {rule}"
    assert f"Reset to {document['threshold']:.3f}" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.slow  # the test above has it in the files of detect
def test_report_and_export_show_the_threshold_that_detect_used(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detected(folder, tmp_path / "out", capsys, "--set", "threshold=0.875")
    assert run(["report", f"{folder}/store", f"{folder}/detector", "-o", f"{tmp_path}/r.html", "-q"]) == 0
    assert "0.88, given by the user" in (tmp_path / "r.html").read_text()
    export = ["export", f"{folder}/store", "--section", "S3", "--format", "h5ad", "-o", str(tmp_path), "-q"]
    assert run(export) == 0
    assert ad.read_h5ad(tmp_path / "S3.h5ad").uns["spacrd"]["threshold"] == 0.875


@pytest.mark.slow
def test_the_genes_that_drive_the_calls_are_a_table_and_stay_in_the_store_for_the_report(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detected(folder, tmp_path / "out", capsys)
    genes = pd.read_csv(tmp_path / "out" / "S3.genes.csv")
    assert (genes["attribution"] > 0).sum() == (genes["attribution"] < 0).sum() == 20
    assert genes["gene"].is_unique
    spots = pd.read_csv(tmp_path / "out" / "S3.spots.csv", index_col="spot_id")
    assert set(spots["top_modality"]) == {"genes"}
    section = ad.read_h5ad(tmp_path / "out" / "S3.h5ad")
    counts = section.to_df()
    scaled = np.log1p(counts.div(counts.sum(axis=1), axis=0) * 1e4)
    known = genes[genes["gene"].isin(scaled.columns)]  # the others have another name today than in the file
    assert len(known) > 30
    means = scaled.loc[spots.index[spots["label"] == "cancer"], known["gene"]].mean()
    np.testing.assert_allclose(means, known["mean_cancer"], rtol=1e-4)
    assert run(["report", f"{folder}/store", f"{folder}/detector", "-o", f"{tmp_path}/r.html", "-q"]) == 0
    stderr = (tmp_path / "r.html").read_text()
    assert all(f'<th scope="row">{gene}</th>' in stderr for gene in genes["gene"])


@pytest.mark.slow  # tests/core/model has the levels
def test_sets_and_uncertain_spots_follow_their_levels(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = detected(folder, tmp_path / "usual", capsys)
    strict = detected(folder, tmp_path / "strict", capsys, "--alpha", "0.01", "--label-alpha", "0.01")
    assert (usual["alpha"], usual["label_alpha"], strict["alpha"], strict["label_alpha"]) == (0.1, 0.3, 0.01, 0.01)
    sets = {name: pd.read_csv(tmp_path / name / "S3.spots.csv")["set"] for name in ("usual", "strict")}
    assert (sets["strict"] == "both").sum() > (sets["usual"] == "both").sum()
    assert strict["uncertain"] > usual["uncertain"]


@pytest.mark.slow  # tests/core/model has the rules
def test_two_gaussians_part_a_section_without_its_labels(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = detected(folder, tmp_path, capsys, "--threshold", "gmm")
    assert "two Gaussians" in document["threshold_rule"]
    read = ad.read_h5ad(tmp_path / "S3.h5ad").obs
    truth = (read["label"] == "cancer")[read["label"].notna()]
    assert ((read["spacrd_prob"] >= document["threshold"])[truth.index] == truth).mean() > 0.8


def test_an_unknown_rule_is_answered_with_the_rules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detect", f"{folder}/store", f"{folder}/detector", "--threshold", "otsu", "-q"]) == 1
    stderr = " ".join(capsys.readouterr().err.split())
    assert "threshold rule 'otsu'" in stderr
    assert all(rule in stderr for rule in ("own", "0.5", "gmm", "prevalence=P"))


def test_a_level_outside_0_to_1_is_a_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detect", f"{folder}/store", f"{folder}/detector", "--alpha", "1.5", "-q"]) == 1
    assert "alpha: Input should be less than 1, found 1.5" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_a_section_that_cannot_be_called_does_not_keep_the_others_from_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    shutil.copytree(folder / "store", store)
    strange = ad.AnnData(np.random.default_rng(0).poisson(2, (30, 40)).astype(np.float32))
    strange.var_names = [f"XENO{number}" for number in range(40)]
    strange.obsm["spatial"] = np.argwhere(np.ones((5, 6))) * 100.0
    strange.write_h5ad(tmp_path / "Z.h5ad")
    ingest = ["ingest", str(store), str(tmp_path / "Z.h5ad"), "--name", "Z", "--um-per-px", "1", "-q"]
    assert run(ingest) == 0
    capsys.readouterr()
    command = ["detect", str(store), f"{folder}/detector", "-o", str(tmp_path / "out"), "-q"]
    assert run([*command, "--section", "S3", "--section", "Z"]) == 1
    stderr = " ".join(capsys.readouterr().err.split())
    assert "section 'Z'" in stderr
    assert "The other sections were called" in stderr
    assert "it measures 0 of the detector's" in stderr
    assert (tmp_path / "out" / "S3.spots.csv").is_file()
    assert not (tmp_path / "out" / "Z.spots.csv").exists()


def test_a_section_of_a_patient_the_detector_knows_is_reported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["detect", f"{folder}/store", f"{folder}/detector", "--exclude", "S3", "-q"]) == 0
    stderr = " ".join(capsys.readouterr().err.split())
    assert "warning: 2 sections (S1, S2): the detector was trained on this section" in stderr
    assert "S3" not in stderr


def test_excluding_every_section_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaving = [word for section in ("S1", "S2", "S3") for word in ("--exclude", section)]
    assert run(["detect", f"{folder}/store", f"{folder}/detector", *leaving, "-q"]) == 1
    stderr = capsys.readouterr().err
    assert f"--exclude leaves no section of {folder}/store" in stderr
    assert "hint: " in stderr


def test_what_copy_number_says_is_in_the_document_the_table_and_the_notes(
    aneuploid: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["detect", f"{aneuploid}/store", "prior", "-q"]
    capsys.readouterr()
    assert run([*command, "--json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)["sections"]
    found = {name: section["copy_number"] for name, section in document.items()}
    assert {name: section["verdict"] for name, section in found.items()} == {
        "GAIN": "supported",
        "EVEN": "no evidence",
        "FEW": "unknown",
    }
    assert found["FEW"] == {"z": None, "verdict": "unknown", "arms": []}
    assert found["GAIN"]["z"] >= SUPPORTED
    gained = {arm["arm"]: arm for arm in found["GAIN"]["arms"] if arm["change"] == "gain"}
    assert set(gained) == {"1q", "8q", "17q", "20q"}
    assert all(arm["log2_ratio"] > 0.2 and arm["genes"] >= 20 for arm in gained.values())
    (caution,) = [sentence for sentence in document["EVEN"]["cautions"] if "copy-number evidence" in sentence]
    assert not any("copy-number" in sentence for sentence in document["GAIN"]["cautions"])
    assert f"warning: EVEN: {caution}" in " ".join(printed.err.split())
    assert run(command) == 0
    table = capsys.readouterr().out
    for name, section in found.items():
        assert re.search(rf"^ *{name} .* {section['verdict']} +\d+ *$", table, re.MULTILINE)


def test_spots_of_the_clone_follow_the_profile(aneuploid: Path) -> None:
    values = pd.read_csv(aneuploid / "out" / "GAIN.spots.csv")["copy_number"]
    assert values[clone()].mean() > 1
    assert values[~clone()].mean() < 0


@pytest.mark.parametrize("section", ["EVEN", "FEW"])
def test_spots_of_a_section_that_shows_no_change_have_calls_without_a_value(aneuploid: Path, section: str) -> None:
    spots = pd.read_csv(aneuploid / "out" / f"{section}.spots.csv")
    assert spots["copy_number"].isna().all()
    assert spots["probability"].notna().all()


@pytest.mark.slow
def test_each_part_has_a_results_folder_of_its_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["detect", f"{folder}/store", f"{folder}/detector", "-o", str(tmp_path), "--json", "-q", "--part"]
    sections = len(SpotStore.open(f"{folder}/store").entries)
    shown = []
    for part in range(1, sections + 2):
        assert run([*command, f"{part}/{sections + 1}"]) == 0
        shown += json.loads(capsys.readouterr().out)["sections"]
    assert shown == list(SpotStore.open(f"{folder}/store").entries)
    for number, name in enumerate(shown, start=1):
        out = tmp_path / f"part-{number}-of-{sections + 1}"
        assert [file.name for file in out.glob("*.geojson")] == [f"{name}.geojson"]
        assert list(json.loads((out / "manifest.json").read_text())["sections"]) == [name]
    assert not (tmp_path / f"part-{sections + 1}-of-{sections + 1}").exists(), "that part contains no section"
