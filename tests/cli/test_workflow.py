"""The commands as a user runs them, on small sections in the files of legacy ST."""

import json
import re
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
from conftest import Install
from sklearn.metrics import roc_auc_score

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.store.store import SpotStore

SPOT_COLUMNS = "spot_id,x_um,y_um,x_px,y_px,probability,label,spread,ood,agreement,gene_coverage,image_coverage,set"
SPOT_COLUMNS += ",top_modality,top_contribution,copy_number,border_distance_um,band"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three embedded sections, and a detector that never saw S3."""
    folder = tmp_path_factory.mktemp("workflow")
    cohort = write_demo_cohort(folder / "cohort", platforms=("st",) * 3)
    store = str(folder / "store")
    assert run(["ingest", store, "--cohort", str(cohort), "-q"]) == 0
    assert run(["embed", store, "--encoder", "stain", "-q"]) == 0
    train = ["train", store, "-o", str(folder / "detector"), "--encoder", "stain", "--seeds", "1", "--exclude", "S3"]
    assert run([*train, "-q"]) == 0
    return folder


def test_detect_finds_the_tumour_of_an_unseen_patient(folder: Path) -> None:
    out = folder / "out"
    assert run(["detect", f"{folder}/store", f"{folder}/detector", "--section", "S3", "-o", str(out), "-q"]) == 0
    spots = pd.read_csv(out / "S3.spots.csv", index_col="spot_id")
    assert ",".join(["spot_id", *spots.columns]) == SPOT_COLUMNS
    truth = ad.read_h5ad(out / "S3.h5ad").obs["label"].dropna() == "cancer"
    assert roc_auc_score(truth, spots.loc[truth.index, "probability"]) > 0.9
    written = {file["name"] for file in json.loads((out / "manifest.json").read_text())["files"]}
    assert written == {"S3.spots.csv", "S3.genes.csv", "S3.h5ad", "S3.geojson", "S3.png"} | {
        "report.html",
        "spacrd_mqc.json",
    }


@pytest.mark.slow  # tests/same repeats every command
def test_detect_again_gives_the_same_calls(folder: Path) -> None:
    for name in ("one", "two"):
        command = ["detect", f"{folder}/store", f"{folder}/detector", "--section", "S3", "-o", f"{folder}/{name}", "-q"]
        assert run(command) == 0
    assert (folder / "one/S3.spots.csv").read_bytes() == (folder / "two/S3.spots.csv").read_bytes()


def test_evaluate_shows_heads_and_modalities_side_by_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", f"{folder}/store", "--encoder", "stain", "--head", "linear", "--jobs", "1"]
    assert run([*command, "--json", "-q", "-o", f"{folder}/figures.json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((folder / "figures.json").read_text())
    shown = [(row["head"], row["modalities"]) for row in printed["summary"]]
    assert shown == [(head, names) for head in ("linear", "prior") for names in ("image+genes", "genes", "image")]
    assert {row["section"] for row in printed["rows"]} == {"S1", "S2", "S3"}
    assert all(row["auc_mean"] > 0.9 for row in printed["summary"] if row["head"] == "linear")
    assert printed["protocol"]["held_out"] == "patient"


@pytest.mark.slow
def test_two_jobs_give_the_figures_of_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for jobs in ("1", "2"):
        command = ["evaluate", f"{folder}/store", "--encoder", "stain", "--no-genes", "--head", "linear"]
        assert run([*command, "--jobs", jobs, "--json", "-q"]) == 0
        found.append(json.loads(capsys.readouterr().out)["rows"])
    assert found[0] == found[1]


@pytest.mark.slow
def test_report_and_export_need_no_detector_run_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["detect", f"{folder}/store", f"{folder}/detector", "--section", "S3", "-q"])
    assert run(["report", f"{folder}/store", f"{folder}/detector", "-o", f"{folder}/again.html", "-q"]) == 0
    assert "S3" in (folder / "again.html").read_text()
    capsys.readouterr()
    for form in ("h5ad", "csv", "geojson"):
        assert run(["export", f"{folder}/store", "--format", form, "-o", f"{folder}/export", "--json", "-q"]) == 0
        written = json.loads(capsys.readouterr().out)["written"]
        assert [file.rpartition("/")[2].partition(".")[0] for file in written] == ["S3"]


def test_store_ls_verify_and_gc_describe_the_store(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["store", "ls", f"{folder}/store", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["sections"]) == ["S1", "S2", "S3"]
    assert run(["store", "verify", f"{folder}/store", "-q"]) == 0
    assert run(["store", "gc", f"{folder}/store"]) == 0


@pytest.mark.slow
def test_a_preset_needs_no_head_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brief = [part for phase in ("reconstruct", "detect") for part in ("--epochs", f"{phase}=1")]
    one = ["--encoder", "none", "--section", "S1", "--seeds", "1", "--set", "cohort.panel_genes=20"]
    command = ["train", f"{folder}/store", "-o", f"{tmp_path}/paper", "--preset", "paper", *brief, *one]
    assert run([*command, "--json", "-q"]) == 0
    config = json.loads((tmp_path / "paper" / "config.json").read_text())
    assert (config["head"], config["head_options"]["preset"], len(config["panel"])) == ("spacrd", "paper", 20)
    assert "not calibrated" in capsys.readouterr().err


def test_a_second_embed_does_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["embed", f"{folder}/store", "--encoder", "stain", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["patches"] == 0


@pytest.mark.slow  # tests/core/plugins has aliases
def test_an_alias_leads_where_the_name_does(
    folder: Path, tmp_path: Path, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("mylab")
    store, some = f"{folder}/store", ["--section", "S1", "--section", "S2", "-q"]
    assert run(["embed", store, "--encoder", "color", "--json", *some]) == 0
    assert json.loads(capsys.readouterr().out)["encoder"] == "colour"
    for encoder in ("color", "colour"):
        train = ["train", store, "-o", f"{tmp_path}/{encoder}", "--encoder", encoder, "--head", "neighbors"]
        assert run([*train, "--seeds", "1", *some]) == 0
        config = json.loads((tmp_path / encoder / "config.json").read_text())
        assert (config["encoder"]["name"], config["head"]) == ("colour", "neighbours")
    capsys.readouterr()
    heads = ["--head", "neighbors", "--head", "neighbours", "--set", "heads.neighbors.epochs=1"]
    assert run(["evaluate", store, "--encoder", "color", "--jobs", "1", "--json", *heads, *some]) == 0
    protocol = json.loads(capsys.readouterr().out)["protocol"]
    assert (protocol["encoder"], protocol["heads"]) == ("colour", ["neighbours", "linear"])
    assert protocol["head_options"]["neighbours"]["epochs"] == 1


MISTAKES = {
    "no store": (["embed", "{0}/nowhere"], "there is no spot store"),
    "no section": (["detect", "{0}/store", "{0}/detector", "--section", "S9"], "has no section 'S9'"),
    "no detector": (["detect", "{0}/store", "{0}/cohort"], "there is no detector"),
    "no encoder": (["embed", "{0}/store", "--encoder", "stian"], "no encoder is named 'stian'"),
    "no embeddings": (["train", "{0}/store", "-o", "{0}/x", "--encoder", "uni"], "no embeddings by 'uni'"),
    "no head": (["train", "{0}/store", "-o", "{0}/x", "--encoder", "none", "--head", "deep"], "no head is named"),
    "nothing to read": (["train", "{0}/store", "-o", "{0}/x", "--encoder", "none", "--no-genes"], "no modality to use"),
    "an option unknown": (["train", "{0}/store", "-o", "{0}/x", "--set", "colour=red"], "colour"),
    "a phase unknown": (["train", "{0}/store", "-o", "{0}/x", "--encoder", "none", "--epochs", "x=1"], "no phase x"),
    "no device": (["train", "{0}/store", "-o", "{0}/x", "--encoder", "none", "--device", "tpu"], "tpu"),
    "not the encoder's turn": (["train", "{0}/store", "-o", "{0}/x", "--set", "encoder.colour=red"], "encoder.colour"),
    "nor in evaluate": (["evaluate", "{0}/store", "--set", "encoder.colour=red"], "unknown setting 'encoder.colour'"),
    "a head renamed": (
        ["evaluate", "{0}/store", "--set", "heads.linear.name=x"],
        "unknown setting 'heads.linear.name'",
    ),
    "a table of no head": (["evaluate", "{0}/store", "--set", "heads.deep.a=1"], "no head is named 'deep'"),
    "other files": (["train", "{0}/store", "-o", "{0}/cohort", "--encoder", "none"], "contains other files"),
    "format": (["export", "{0}/store", "--format", "xlsx", "-o", "{0}/x"], "unknown format 'xlsx'"),
}


@pytest.mark.ci_cases(6)
@pytest.mark.parametrize("case", MISTAKES)
def test_every_mistake_gets_a_sentence_and_a_remedy(
    case: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, sentence = MISTAKES[case]
    before = (folder / "store" / "spacrd.json").read_bytes()
    assert run([part.format(folder) for part in command] + ["-q"]) == 1
    stderr = capsys.readouterr().err
    assert sentence in stderr
    assert "hint: " in stderr
    assert "Traceback" not in stderr
    assert (folder / "store" / "spacrd.json").read_bytes() == before
    assert not (folder / "x").exists()


def test_wrong_keys_of_all_tables_are_named_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["--set", "seed=1", "--set", "cohort.panel=20", "--set", "encoder.colour=red", "--set", "head.depht=3"]
    assert run(["train", f"{folder}/store", "-o", f"{folder}/x", *wrong]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    for key in ("seed", "cohort.panel", "encoder.colour"):
        assert f"unknown setting '{key}'" in error
    assert "head 'spacrd': unknown setting 'depht'" in error
    assert "did you mean cohort.panel_genes or seeds?" in hint
    assert "settings of cohort: panel_genes, " in hint


def test_the_demo_trains_on_st_and_visium_and_reports_its_auc_on_xenium(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = tmp_path / "demo"
    assert run(["demo", str(demo), "-q"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    store = SpotStore.open(demo / "store")
    assert [entry.platform for entry in store.choose()] == ["st", "st", "visium", "visium", "xenium"]
    detector = json.loads((demo / "detector/config.json").read_text())
    assert [section["id"] for section in detector["trained_on"]] == ["S1", "S2", "S3", "S4"]
    section = ad.read_h5ad(demo / "results/S5.h5ad")
    auc = roc_auc_score(section.obs["label"] == "cancer", section.obs["spacrd_prob"])
    assert auc > 0.9
    match = re.search(r"AUC of (0\.\d+)", printed)
    assert match
    assert float(match[1]) == pytest.approx(auc, abs=0.001)
    assert "S5" in (demo / "results/report.html").read_text()
    assert "results/report.html" in printed
    assert run(["demo", str(demo), "-q"]) == 1
    assert "is not empty" in capsys.readouterr().err
