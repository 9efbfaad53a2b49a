"""``spacrd call``: the same answer as ``ingest`` and ``detect``, from one command."""

import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from stand_ins.aneuploid_file import write_aneuploid

from spacrd_cli.main import run
from spacrd_core.store.store import SpotStore

OPTIONS = ["--um-per-px", "1", "--no-image"]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aneuploid(tmp_path_factory.mktemp("call") / "S1.h5ad", {})


def test_a_call_gives_what_ingest_and_detect_give(
    section: Path, tmp_path: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = scratch / ".spacrd-abcd1234" / "store"
    killed.mkdir(parents=True)
    assert run(["call", str(section), "-o", f"{tmp_path}/one", *OPTIONS, "--json", "-q"]) == 0
    document = json.loads(capsys.readouterr().out)
    store = f"{tmp_path}/store"
    assert run(["ingest", store, str(section), *OPTIONS, "-q"]) == 0
    capsys.readouterr()
    assert run(["detect", store, "prior", "-o", f"{tmp_path}/two", "--json", "-q"]) == 0
    detected = json.loads(capsys.readouterr().out)["sections"]
    called = document["sections"]["S1"]
    assert {key: called[key] for key in detected["S1"]} == detected["S1"]
    for name in ("S1.spots.csv", "S1.geojson"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert {file.name for file in (tmp_path / "one").iterdir()} == {file.name for file in (tmp_path / "two").iterdir()}
    assert set(document["files"]) == {file.name for file in (tmp_path / "one").iterdir()}
    assert "S1.geojson" in called["files"]
    assert document["detector"]["name"] == "prior"
    assert (document["failures"], document["store"]) == ([], None)
    assert list(scratch.iterdir()) == [], "no store is left, and none of a call that was killed"


@pytest.mark.slow
def test_a_patient_can_be_named_and_is_not_asked_for_where_nothing_is_kept(
    section: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["call", str(section), "-o", f"{tmp_path}/one", *OPTIONS]) == 0
    assert "--patient" not in capsys.readouterr().err
    assert run(["call", str(section), "-o", f"{tmp_path}/two", *OPTIONS, "--patient", "P7", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["sections"]["S1"]["patient"] == "P7"


def test_workers_of_a_scheduler_need_a_store_that_they_see(
    section: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choice = ["--executor", "dask", "--scheduler", "tcp://127.0.0.1:1"]
    assert run(["call", str(section), "-o", f"{tmp_path}/out", *OPTIONS, *choice]) == 1
    assert "--keep STORE" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_store_can_be_kept(
    section: Path, tmp_path: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["call", str(section), "-o", f"{tmp_path}/out", *OPTIONS, "--keep", f"{tmp_path}/store"]
    assert run(command) == 0
    assert "S1: no --patient was given" in capsys.readouterr().err
    assert list(SpotStore.open(tmp_path / "store").entries) == ["S1"]
    assert run([*command, "-q"]) == 0, "the same again changes nothing"
    assert list(scratch.iterdir()) == []


@pytest.mark.slow
def test_sections_of_a_cohort_file_that_fail_do_not_stop_the_others(
    section: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = tmp_path / "cohort.csv"
    pd.DataFrame({"path": [section, tmp_path / "missing.h5ad"], "name": ["S1", "S2"]}).to_csv(cohort, index=False)
    assert run(["call", "--cohort", str(cohort), "-o", f"{tmp_path}/out", *OPTIONS, "--json", "-q"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert list(document["sections"]) == ["S1"]
    (failure,) = document["failures"]
    assert f"{tmp_path}/missing.h5ad" in failure["where"] + failure["error"]
    assert "1 of 2 sections failed" in captured.err or "missing.h5ad" in captured.err
    assert (tmp_path / "out" / "S1.spots.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{section}", "-o", "{out}", "--detector", "{out}/nothing"], "nothing"),
        (["{section}", "-o", "{section}"], "results need a folder"),
        (["{section}", "{section}", "-o", "{out}", "--name", "S1"], "cannot apply to 2 sections"),
        (["-o", "{out}"], "give either PATHs or --cohort"),
        (["{out}/missing.h5ad", "-o", "{out}"], "missing.h5ad"),
    ],
)
def test_what_cannot_be_called_is_said_before_the_work(
    section: Path,
    tmp_path: Path,
    scratch: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    filled = [argument.format(section=section, out=tmp_path / "out") for argument in arguments]
    assert run(["call", *filled]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert list(scratch.iterdir()) == []
