"""``--dry-run``: what a command would do, with nothing written, and the errors that the command would have."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.embedding import staging
from spacrd_core.store.store import SpotStore

GENES = ["--encoder", "none"]
COMMANDS = {
    "ingest": ["ingest", "{folder}/new", "--cohort", "{folder}/cohort/cohort.csv"],
    "embed": ["embed", "{folder}/store", "--encoder", "stain"],
    "train": ["train", "{folder}/store", "-o", "{folder}/detector", *GENES],
    "evaluate": ["evaluate", "{folder}/store", "-o", "{folder}/evaluation.json", *GENES],
    "detect": ["detect", "{folder}/store", "prior", "-o", "{folder}/out"],
    "export": ["export", "{folder}/store", "--format", "csv", "-o", "{folder}/out"],
    "call": ["call", "--cohort", "{folder}/cohort/cohort.csv", "-o", "{folder}/out"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of two ST sections with H&E, and their store with calls by ``prior``; tests must not change it."""
    folder = tmp_path_factory.mktemp("dry")
    cohort = write_demo_cohort(folder / "cohort", platforms=("st", "st"))
    assert cohort == folder / "cohort/cohort.csv"
    assert run(["ingest", f"{folder}/store", "--cohort", str(cohort), "-q"]) == 0
    assert run(["detect", f"{folder}/store", "prior", "-q"]) == 0
    assert run(["train", f"{folder}/store", "-o", f"{folder}/old", *GENES, "--head", "linear", "-q"]) == 0
    for place in ("others", "others/part-1-of-2"):
        (folder / place).mkdir()
        (folder / place / "S1.spots.csv").write_text("a table of the user")
    return folder


def filled(arguments: list[str], folder: Path) -> list[str]:
    return [argument.format(folder=folder) for argument in arguments]


def planned(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*filled(arguments, folder), "--dry-run", "--json", "-q"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """The size and time of everything below a folder."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_written_and_the_document_has_the_plan(
    command: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = tree(folder)
    plan = planned(COMMANDS[command], folder, capsys)
    assert tree(folder) == before
    assert list(tmp_path.iterdir()) == []
    assert plan["step"] == command
    assert list(plan["sections"]) == ["S1", "S2"]
    assert {section["work"] for section in plan["sections"].values()} == {"to do"}
    assert plan["tasks"] > 0
    assert all(0 <= space["bytes"] < space["free_bytes"] for space in plan["space"])
    assert plan["seconds"] > 0
    assert plan["basis"]
    assert plan["failures"] == []


def test_the_text_has_work_space_and_time_with_what_it_rests_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*filled(COMMANDS["embed"], folder), "--dry-run"]) == 0
    printed = capsys.readouterr()
    lines = dict(line.split(": ", 1) for line in printed.out.splitlines() if ": " in line)
    assert lines["work"] == "2 shards"
    assert "are free" in lines["space"]
    assert "patches by 'stain', timed here on" in lines["time"]
    assert printed.err.splitlines()[-1] == "dry run: nothing was written"


@pytest.mark.ci_cases(8)
@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "{folder}/new", "{folder}/nothing.h5ad"],
        ["ingest", "{folder}/cohort", "--cohort", "{folder}/cohort/cohort.csv"],
        ["embed", "{folder}/store", "--encoder", "stain", "--section", "S9"],
        ["embed", "{folder}/nothing", "--encoder", "stain"],
        ["train", "{folder}/store", "-o", "{folder}/detector", "--encoder", "uni"],
        ["train", "{folder}/store", "-o", "{folder}/cohort", *GENES],
        ["train", "{folder}/store", "-o", "{folder}/old", *GENES],
        ["train", "{folder}/store", "-o", "{folder}/store/detector", *GENES],
        ["evaluate", "{folder}/store", "--section", "S1", *GENES],
        ["evaluate", "{folder}/store", "-o", "{folder}/cohort/cohort.csv", *GENES],
        ["evaluate", "{folder}/store", "-o", "{folder}/old/evaluation.json", *GENES],
        ["detect", "{folder}/store", "{folder}/nothing"],
        ["detect", "{folder}/store", "prior", "--threshold", "much"],
        ["detect", "{folder}/store", "prior", "-o", "{folder}/old"],
        ["detect", "{folder}/store", "prior", "-o", "{folder}/others"],
        ["detect", "{folder}/store", "prior", "-o", "{folder}/others", "--part", "1/2"],
        ["export", "{folder}/store", "--format", "loupe", "-o", "{folder}/out"],
        ["export", "{folder}/store", "{folder}/old", "--format", "csv", "-o", "{folder}/out"],
        ["export", "{folder}/store", "--format", "csv", "-o", "{folder}/others"],
        ["export", "{folder}/store", "--format", "csv", "-o", "{folder}/store/files"],
        ["call", "{folder}/nothing.h5ad", "-o", "{folder}/out"],
        ["call", "--cohort", "{folder}/cohort/cohort.csv", "-o", "{folder}/others"],
        ["call", "--cohort", "{folder}/cohort/cohort.csv", "-o", "{folder}/out", "--keep", "{folder}/old/store"],
        ["call", "--cohort", "{folder}/cohort/cohort.csv", "-o", "{folder}/out", "--detector", "{folder}/nothing"],
    ],
)
def test_what_cannot_start_ends_with_the_error_of_the_command(
    arguments: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"  # the command itself may note a failure
    shutil.copytree(folder, copy)
    before = tree(copy)
    assert run([*filled(arguments, copy), "-q", "--dry-run"]) == 1
    foreseen = capsys.readouterr().err
    assert tree(copy) == before
    assert run([*filled(arguments, copy), "-q"]) == 1
    assert capsys.readouterr().err == foreseen


def test_a_section_that_fails_is_among_the_failures_beside_the_others(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (folder / "cohort/cohort.csv").read_text().replace("S2", "missing")
    cohort = folder / "cohort/wrong.csv"
    cohort.write_text(table)
    assert run(["ingest", f"{tmp_path}/new", "--cohort", str(cohort), "--dry-run", "--json", "-q"]) == 1
    document = json.loads(capsys.readouterr().out)
    cohort.unlink()
    assert list(document["sections"]) == ["S1"]
    assert len(document["failures"]) == 1
    assert not (tmp_path / "new").exists()


def test_ingested_sections_are_done_and_take_no_room(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned(["ingest", "{folder}/store", "--cohort", "{folder}/cohort/cohort.csv"], folder, capsys)
    assert [(each["work"], each["note"], each["bytes"]) for each in plan["sections"].values()] == [
        ("done", "unchanged", 0)
    ] * 2
    assert (plan["tasks"], plan["seconds"], plan["basis"]) == (0, 0.0, "nothing is left to do")


def test_the_room_of_an_ingestion_is_about_what_it_takes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned(COMMANDS["ingest"], folder, capsys)
    taken = size_of(folder / "store/sections") + size_of(folder / "store/slides")
    assert taken / 3 < plan["space"][0]["bytes"] < 3 * taken


@pytest.mark.slow
def test_shards_that_are_done_are_not_counted_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("SHARD_ROWS", "CHUNK_ROWS"):
        monkeypatch.setattr(staging, name, 128)
    shutil.copytree(folder / "store", tmp_path / "store")
    embed = ["embed", "{folder}/store", "--encoder", "stain"]
    whole = planned(embed, tmp_path, capsys)
    assert run([*filled(embed, tmp_path), "--part", "1/2", "-q"]) == 0
    rest = planned(embed, tmp_path, capsys)
    other = planned([*embed, "--part", "2/2"], tmp_path, capsys)
    assert 0 < rest["tasks"] < whole["tasks"]
    assert rest["tasks"] == other["tasks"]
    assert "are done" in rest["sections"]["S1"]["note"]
    capsys.readouterr()
    assert run([*filled(embed, tmp_path), "--json", "-q"]) == 0
    patches = [section["patches"] for section in json.loads(capsys.readouterr().out)["sections"].values()]
    assert [int(section["note"].split()[0]) for section in rest["sections"].values()] == patches
    done = planned(embed, tmp_path, capsys)
    assert {section["work"] for section in done["sections"].values()} == {"done"}
    store = SpotStore(tmp_path / "store")
    taken = sum(size_of(store.path / store.entry(name).embeddings[key].path) for name, key in _stain(store))
    assert taken / 2 < whole["space"][0]["bytes"] < 2 * taken


def _stain(store: SpotStore) -> list[tuple[str, str]]:
    """The sections and the recipes of their latest embeddings."""
    return [(entry.id, [*entry.embeddings][-1]) for entry in store.choose()]


def test_trainings_are_those_of_the_folds_and_the_last(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(COMMANDS["train"], folder, capsys)["tasks"] == 3
    assert planned([*COMMANDS["train"], "--set", "calibrate=false"], folder, capsys)["tasks"] == 1


def test_the_time_of_a_head_that_was_not_measured_is_unknown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned([*COMMANDS["train"], "--preset", "paper"], folder, capsys)
    assert plan["seconds"] is None
    assert "not measured" in plan["basis"]


def test_calls_by_the_same_detector_are_made_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = [section["note"] for section in planned(COMMANDS["detect"], folder, capsys)["sections"].values()]
    assert notes == ["called before by this detector, and called again"] * 2
