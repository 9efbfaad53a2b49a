"""The main job on real sections: raw files to calls, through the commands."""

import json
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from spacrd_cli.main import run

pytestmark = pytest.mark.her2st


@pytest.fixture(scope="module")
def fused(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of eight sections of three patients with H&E, embedded by stain."""
    store = tmp_path_factory.mktemp("fused") / "store"
    assert run(["ingest", str(store), "--cohort", str(her2st / "cohort_fused.csv"), "-q"]) == 0
    assert run(["embed", str(store), "--encoder", "stain", "-q"]) == 0
    return store


@pytest.fixture(scope="module")
def genes(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of six sections of six patients without images."""
    store = tmp_path_factory.mktemp("genes") / "store"
    assert run(["ingest", str(store), "--cohort", str(her2st / "cohort_genes.csv"), "-q"]) == 0
    return store


def evaluated(store: Path, *options: str) -> pd.DataFrame:
    file = store.parent / "figures.json"
    assert run(["evaluate", str(store), *options, "-o", str(file), "-q"]) == 0
    summary = pd.DataFrame(json.loads(file.read_text())["summary"])
    return summary.set_index(["head", "modalities"])


@pytest.mark.slow
@pytest.mark.parametrize("head", ["linear", "spacrd"])
def test_a_detector_finds_the_tumour_of_patient_b_after_learning_from_a_and_c(
    head: str, fused: Path, tmp_path: Path
) -> None:
    detector, out = str(tmp_path / "detector"), tmp_path / "out"
    options = ["--encoder", "stain", "--head", head, "--exclude", "B4", "--seeds", "1", "-q"]
    assert run(["train", str(fused), "-o", detector, *options]) == 0
    assert run(["detect", str(fused), detector, "--section", "B4", "-o", str(out), "-q"]) == 0
    truth = ad.read_h5ad(out / "B4.h5ad").obs["label"].dropna() == "cancer"
    spots = pd.read_csv(out / "B4.spots.csv", index_col="spot_id").loc[truth.index]
    assert roc_auc_score(truth, spots["probability"]) >= 0.90
    assert (spots.loc[truth, "label"] == "cancer").mean() > 0.8
    assert (spots.loc[~truth, "label"] == "cancer").mean() < 0.3


@pytest.mark.slow
def test_the_linear_baseline_is_as_good_as_a_plain_script_on_genes(genes: Path) -> None:
    summary = evaluated(genes, "--encoder", "none", "--head", "linear")
    assert summary.loc[("linear", "genes"), "auc_mean"] >= 0.87


@pytest.mark.slow
def test_the_linear_baseline_is_as_good_as_a_plain_script_on_both_modalities(fused: Path) -> None:
    summary = evaluated(fused, "--encoder", "stain", "--head", "linear")
    assert summary.loc[("linear", "genes"), "auc_mean"] >= 0.76
    assert summary.loc[("linear", "image"), "auc_mean"] >= 0.90
    assert summary.loc[("linear", "image+genes"), "auc_mean"] >= 0.85
