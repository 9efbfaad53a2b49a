"""``spacrd ingest``: errors of the user, and notes about patients."""

import json
from pathlib import Path

import pandas as pd
import pytest
from bundles.visium import VisiumBundle

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.store.store import SpotStore

NO_PATIENT = "no --patient was given"


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The counts of one section, its other files beside it."""
    cohort = write_demo_cohort(tmp_path_factory.mktemp("cohort"), platforms=("st", "st"))
    return next((cohort.parent / "ST-cnts").glob("S1*"))


@pytest.mark.parametrize("option", ["--mpp=0", "--mpp=inf", "--um-per-px=-1", "--image-scale=nan"])
def test_an_impossible_number_is_a_mistake_and_not_a_bug(
    option: str, counts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ingest", str(tmp_path / "store"), str(counts), option, "-q"]) == 1
    stderr = capsys.readouterr().err
    assert option.partition("=")[0].removeprefix("--").replace("-", "_") in stderr
    assert "Input should be" in stderr
    assert "bug" not in stderr
    assert not (tmp_path / "store").exists()


def test_json_is_a_document_even_if_every_section_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ingest", str(tmp_path / "store"), str(tmp_path / "gone.tsv"), "--json", "-q"]) == 1
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    (failed,) = document["failures"]
    assert document["sections"] == {}
    assert (failed["section"], failed["path"]) == ("gone", str(tmp_path / "gone.tsv"))
    assert "there is nothing at" in failed["error"]
    assert "there is nothing at" in shown.err


def test_parts_of_a_cohort_together_are_the_whole(
    counts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "cohort.csv"
    table.write_text("path,name\n" + "".join(f"{counts},{name}\n" for name in ("A", "B", "C")))
    command = ["ingest", str(tmp_path / "store"), "--cohort", str(table), "--no-image", "--json", "-q", "--part"]
    ids = []
    for part in ("2/4", "1/4", "4/4", "3/4"):
        assert run([*command, part]) == 0
        ids.append(list(json.loads(capsys.readouterr().out)["sections"]))
    assert ids == [["B"], ["A"], [], ["C"]]
    assert list(SpotStore.open(tmp_path / "store").entries) == ["A", "B", "C"]


def test_without_a_section_no_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ingest", str(tmp_path / "store"), str(tmp_path / "gone.tsv")]) == 1
    assert capsys.readouterr().out == ""


def test_a_missing_patient_is_noted(counts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["ingest", str(tmp_path / "store"), str(counts), "--no-image", "--name"]
    assert run([*command, "A1", "--patient", "A1"]) == 0
    assert NO_PATIENT not in capsys.readouterr().err
    assert run([*command, "A2"]) == 0
    assert f"A2: {NO_PATIENT}" in capsys.readouterr().err


def test_wrong_settings_and_wrong_options_of_the_reader_are_reported_together(
    counts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--set", "seed=1", "--set", "reader.colour=red", "--reader", "st"]
    assert run(["ingest", str(tmp_path / "store"), str(counts), *settings]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert "unknown setting 'seed'" in error
    assert "reader 'st': unknown setting 'colour'" in error
    assert "its options are: " in hint


def test_a_section_of_unknown_genes_is_reported_even_if_quiet(
    counts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(counts, sep="\t", index_col=0)
    numbered = tmp_path / "numbered.tsv"
    table.set_axis([f"row{number}" for number in range(table.shape[1])], axis=1).to_csv(numbered, sep="\t")
    (spots,) = (counts.parent.parent / "ST-spotfiles").glob("S1*")
    command = ["ingest", str(tmp_path / "store"), "--no-image", "--patient", "P", "--set", f"reader.spots={spots}"]
    assert run([*command, str(counts)]) == 0
    assert "gene name is known" not in capsys.readouterr().err
    assert run([*command, str(numbered), "--quiet"]) == 0
    warning = f"warning: numbered: almost no gene name is known (HGNC, Ensembl or mouse): 0 of {table.shape[1]} (row0"
    shown = " ".join(capsys.readouterr().err.split())
    assert warning in shown
    assert "training refuses this section without --set cohort.unknown_genes=true" in shown


@pytest.mark.slow
def test_a_section_of_an_aggregated_run_is_chosen_for_one_and_in_a_cohort_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, store = VisiumBundle(), tmp_path / "store"
    run2 = bundle.write(tmp_path / "run2")
    cores = [name.removesuffix("-1") for name in bundle.table["barcode"][bundle.in_tissue]]
    rows = [f"{core}-{number},{label}" for number, label in ((1, "Tumor"), (2, "Normal")) for core in cores]
    (tmp_path / "aggr.csv").write_text("\n".join(["Barcode,Pathology", *rows]))
    command = ["ingest", str(store), str(run2), "--name", "A", "--labels", str(tmp_path / "aggr.csv"), "--no-image"]
    assert run(command) == 1
    assert "has labels of 2 sections, by its ids: -1" in capsys.readouterr().err
    assert run([*command, "--label-section", "-2"]) == 0
    assert run([*command[:2], "--set", "label_section=-1", *command[2:], "--name", "B"]) == 0
    (tmp_path / "cohort.csv").write_text("path,name,labels,label_section,no_image\nrun2,C,aggr.csv,-2,true\n")
    assert run(["ingest", str(store), "--cohort", str(tmp_path / "cohort.csv")]) == 0
    entries = SpotStore.open(store).entries
    assert {name: entry.cancer == entry.labelled > 0 for name, entry in entries.items()} == {
        "A": False, "B": True, "C": False,
    }  # fmt: skip
    assert "labels of aggr.csv: cancer 0, normal " in capsys.readouterr().err


@pytest.mark.slow
def test_parts_share_their_common_notes_and_those_without_a_patient_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = VisiumBundle()
    ids = [f"{letters}-1" for letters, inside in zip(bundle.letters, bundle.in_tissue, strict=True) if inside]
    rows = [f"{spot},{'ab'[number % 2]},{['P1', ''][number % 2]}" for number, spot in enumerate(ids[:-1])]
    regions = tmp_path / "regions.csv"
    regions.write_text("\n".join(["barcode,region,patient", *rows]) + "\n", encoding="utf-8")
    command = ["ingest", str(tmp_path / "store"), str(bundle.write(tmp_path / "V1")), "--no-image", "--region"]
    assert run([*command, str(regions)]) == 0
    shown = capsys.readouterr().err
    assert shown.count("spots in no region, left out: 1 of") == 1
    assert "2 sections (V1.a, V1.b): regions.csv: spots in no region" in shown
    assert "V1.b: --region names no patient: counts as a patient of its own" in shown
    assert NO_PATIENT not in shown
    assert run([*command, str(regions), "--json", "-q"]) == 0
    documents = json.loads(capsys.readouterr().out)["sections"].values()
    assert [(item["id"], item["patient"], item["status"]) for item in documents] == [
        ("V1.a", "P1", "unchanged"),
        ("V1.b", "V1.b", "unchanged"),
    ]
