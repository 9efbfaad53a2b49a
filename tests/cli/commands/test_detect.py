"""``spacrd detect``: the threshold that was really used is in everything it leaves behind."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort

if TYPE_CHECKING:
    from pathlib import Path


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
    document: dict[str, Any] = json.loads(capsys.readouterr().out)["S3"]
    return document


def test_the_threshold_that_was_used_travels_into_everything_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = detected(folder, tmp_path / "own", capsys)
    said = detected(folder, tmp_path / "out", capsys, "--threshold", "prevalence=0.25")
    rule = "the section's 25 % most probable spots, as given by the user"
    assert (said["threshold"] != own["threshold"], said["threshold_rule"]) == (True, rule)
    spots = pd.read_csv(tmp_path / "out" / "S3.spots.csv")
    assert (spots["probability"] >= said["threshold"]).mean() == pytest.approx(0.25, abs=0.01)
    origin = ad.read_h5ad(tmp_path / "out" / "S3.h5ad").uns["spacrd"]
    assert (origin["threshold"], origin["threshold_rule"]) == (said["threshold"], rule)
    regions = [
        feature["properties"]["measurements"]["SpaCRD threshold"]
        for feature in json.loads((tmp_path / "out" / "S3.geojson").read_text())["features"]
        if feature["properties"]["objectType"] == "annotation"
    ]
    assert set(regions) == {said["threshold"]}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["sections"]["S3"]["threshold"] == said["threshold"]
    assert manifest["provenance"]["threshold_rule"] == f"{said['threshold']:.2f}, {rule}"
    assert f"Reset to {said['threshold']:.3f}" in (tmp_path / "out" / "report.html").read_text()


def test_report_and_export_say_the_threshold_that_detect_used(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detected(folder, tmp_path / "out", capsys, "--set", "threshold=0.875")
    assert run(["report", f"{folder}/store", f"{folder}/detector", "-o", f"{tmp_path}/r.html", "-q"]) == 0
    assert "0.88, given by the user" in (tmp_path / "r.html").read_text()
    export = ["export", f"{folder}/store", "--section", "S3", "--format", "h5ad", "-o", str(tmp_path), "-q"]
    assert run(export) == 0
    assert ad.read_h5ad(tmp_path / "S3.h5ad").uns["spacrd"]["threshold"] == 0.875


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
    told = (tmp_path / "r.html").read_text()
    assert all(f'<th scope="row">{gene}</th>' in told for gene in genes["gene"])


def test_sets_and_doubt_follow_their_levels(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usual = detected(folder, tmp_path / "usual", capsys)
    strict = detected(folder, tmp_path / "strict", capsys, "--alpha", "0.01", "--label-alpha", "0.01")
    assert (usual["alpha"], usual["label_alpha"], strict["alpha"], strict["label_alpha"]) == (0.1, 0.3, 0.01, 0.01)
    sets = {name: pd.read_csv(tmp_path / name / "S3.spots.csv")["set"] for name in ("usual", "strict")}
    assert (sets["strict"] == "both").sum() > (sets["usual"] == "both").sum()
    assert strict["uncertain"] > usual["uncertain"]


def test_two_gaussians_part_a_section_without_its_labels(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = detected(folder, tmp_path, capsys, "--threshold", "gmm")
    assert said["threshold_rule"] == "where two Gaussians of the section's log odds meet"
    read = ad.read_h5ad(tmp_path / "S3.h5ad").obs
    truth = (read["label"] == "cancer")[read["label"].notna()]
    assert ((read["spacrd_prob"] >= said["threshold"])[truth.index] == truth).mean() > 0.8


def test_a_rule_that_there_is_not_is_answered_with_the_rules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detect", f"{folder}/store", f"{folder}/detector", "--threshold", "otsu", "-q"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "there is no threshold rule 'otsu'" in said
    assert "own, a number between 0 and 1 such as 0.5, gmm, or prevalence=P with P between 0 and 1" in said


def test_a_level_outside_0_to_1_is_a_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detect", f"{folder}/store", f"{folder}/detector", "--alpha", "1.5", "-q"]) == 1
    assert "alpha: Input should be less than 1, found 1.5" in " ".join(capsys.readouterr().err.split())


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
    told = " ".join(capsys.readouterr().err.split())
    assert "section 'Z' has nothing that the detector reads: genes. The other sections are called" in told
    assert "it measures 0 of the detector's" in told
    assert (tmp_path / "out" / "S3.spots.csv").is_file()
    assert not (tmp_path / "out" / "Z.spots.csv").exists()


def test_a_section_of_a_patient_the_detector_knows_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detect", f"{folder}/store", f"{folder}/detector", "--exclude", "S3", "-q"]) == 0
    told = capsys.readouterr().err
    for section in ("S1", "S2"):
        known = "the detector was trained on this section: its calls here say nothing about new sections"
        assert f"section '{section}': {known}" in " ".join(told.split())
    assert "section 'S3'" not in told


def test_where_no_section_is_left_that_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaving = [word for section in ("S1", "S2", "S3") for word in ("--exclude", section)]
    assert run(["detect", f"{folder}/store", f"{folder}/detector", *leaving, "-q"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"error: no section of {folder}/store is left to detect in",
        "hint: drop an --exclude",
    ]
