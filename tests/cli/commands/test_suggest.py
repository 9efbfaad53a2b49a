"""``spacrd suggest``: what is suggested and corrected in QuPath comes back as labels, and trains."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import MakeSection
from PIL import Image

from spacrd_cli.main import run
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

COUNT = 6


@pytest.fixture
def cohort(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, make_section: MakeSection) -> Path:
    """A folder with a store of two labelled sections and S3 without labels, and a detector of the two; made once."""
    made = tmp_path_factory.getbasetemp() / "suggest_cohort"
    if not made.exists():
        store = SpotStore.create(made / "store")
        for number in (1, 2, 3):
            key = SectionKey(f"S{number}", f"P{number}", f"made{number}")
            add_section(store, make_section(number, image=False, labels=number < 3), key)
        assert train(made, "detector") == 0
    return Path(shutil.copytree(made, tmp_path / "cohort"))


def train(folder: Path, detector: str) -> int:
    options = ["--encoder", "none", "--head", "linear", "--seeds", "1", "-q"]
    return run(["train", f"{folder}/store", "-o", f"{folder}/{detector}", *options])


def suggest(folder: Path, *options: str) -> int:
    return run(["suggest", f"{folder}/store", f"{folder}/detector", "-n", f"{COUNT}", "-q", *options])


def label(folder: Path, file: Path, *options: str) -> int:
    return run(["store", "label", f"{folder}/store", "S3", "--labels", str(file), "-q", *options])


def classified(file: Path, classes: dict[str, str]) -> Path:
    """Return a copy in which some spots have another class, as QuPath exports it."""
    document = json.loads(file.read_text())
    for feature in document["features"]:
        properties = feature["properties"]
        properties["classification"] = {"name": classes.get(properties["name"], properties["classification"]["name"])}
    corrected = file.parent / "corrected.geojson"
    corrected.write_text(json.dumps(document))
    return corrected


def test_corrected_spots_are_the_labels_that_the_next_training_takes_in(cohort: Path) -> None:
    assert suggest(cohort, "--section", "S3", "-o", f"{cohort}/look") == 0
    listed = pd.read_csv(cohort / "look" / "S3.suggested.csv", index_col="spot_id")
    truth = {spot: "Tumor" if int(str(spot).split("x")[0]) <= 6 else "Stroma" for spot in listed.index[: COUNT - 1]}
    assert label(cohort, classified(cohort / "look" / "S3.suggested.geojson", truth)) == 0
    labels = SpotStore.open(cohort / "store").spots("S3")["label"].dropna()
    assert {spot: "Tumor" if label == "cancer" else "Stroma" for spot, label in labels.items()} == truth
    assert train(cohort, "again") == 0
    config, metrics = (json.loads((cohort / "again" / f"{name}.json").read_text()) for name in ("config", "metrics"))
    assert [section["id"] for section in config["trained_on"]] == ["S1", "S2", "S3"]
    assert [*metrics["held_out"]] == ["S1", "S2"]


def test_a_file_that_nobody_has_corrected_is_refused(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert suggest(cohort, "--section", "S3", "-o", f"{cohort}/look") == 0
    assert label(cohort, cohort / "look" / "S3.suggested.geojson") == 1
    message = " ".join(capsys.readouterr().err.split())
    assert f"no polygon with a class, but {COUNT} suggested spots that nobody classified" in message
    assert "hint: give the suggested spots a class in QuPath" in message


@pytest.mark.slow
def test_the_next_suggestions_are_other_spots_and_labels_are_added(cohort: Path) -> None:
    found = []
    for number, name in enumerate(("Tumor", "Stroma")):
        assert suggest(cohort, "--section", "S3", "-o", f"{cohort}/look{number}") == 0
        spots = pd.read_csv(cohort / f"look{number}" / "S3.suggested.csv")["spot_id"]
        file = cohort / f"look{number}" / "S3.suggested.geojson"
        assert label(cohort, classified(file, dict.fromkeys(spots, name)), "--add") == 0
        found.append({*spots})
    assert not found[0] & found[1]
    labels = SpotStore.open(cohort / "store").spots("S3")["label"].dropna()
    assert {*labels.index[labels == "cancer"]} == found[0]
    assert {*labels.index[labels == "normal"]} == found[1]


def test_the_files_name_the_call_and_the_reason_of_each_spot(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert suggest(cohort, "--section", "S3", "-o", f"{cohort}/look", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    spots: list[dict[str, Any]] = document["sections"]["S3"]["spots"]
    assert document["sections"]["S3"]["files"] == [f"S3.suggested.{kind}" for kind in ("geojson", "csv", "png")]
    assert [spot["rank"] for spot in spots] == [*range(1, COUNT + 1)]
    features = json.loads((cohort / "look" / "S3.suggested.geojson").read_text())["features"]
    for spot, feature in zip(spots, features, strict=True):
        properties = feature["properties"]
        assert (properties["objectType"], properties["name"]) == ("annotation", spot["spot_id"])
        assert properties["classification"]["name"] == "SpaCRD suggestion"
        described = properties["metadata"]["ANNOTATION_DESCRIPTION"]
        assert described == f"called {spot['label']}, probability {spot['probability']:.2f}: {spot['reason']}"
    with Image.open(cohort / "look" / "S3.suggested.png") as picture:
        assert picture.info["Description"] == "Suggested spots of section S3"


@pytest.mark.slow
def test_a_section_whose_spots_all_have_a_label_is_named(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["suggest", f"{cohort}/store", f"{cohort}/detector", "-n", "4", "-o", f"{cohort}/look"]
    assert run(command) == 0
    assert "2 sections (S1, S2): every spot has a label" in " ".join(capsys.readouterr().err.split())
    assert {file.name.split(".")[0] for file in (cohort / "look").iterdir()} == {"S3"}


def test_files_of_others_stay(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cohort / "S3.suggested.geojson").write_text("mine")
    assert suggest(cohort, "--section", "S3", "-o", str(cohort)) == 1
    assert "S3.suggested.geojson was not written by SpaCRD" in " ".join(capsys.readouterr().err.split())
    assert (cohort / "S3.suggested.geojson").read_text() == "mine"


def test_no_spot_is_no_answer(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert suggest(cohort, "-n", "0") == 1
    assert "must be 1 or more, not 0" in capsys.readouterr().err


def test_the_command_that_writes_files_keeps_the_options(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["suggest", f"{cohort}/store", f"{cohort}/detector", "--section", "S3", "-n", "4"]) == 0
    stderr = " ".join(capsys.readouterr().err.split())
    assert f"spacrd suggest {cohort}/store {cohort}/detector --section S3 -n 4 -o DIR" in stderr
