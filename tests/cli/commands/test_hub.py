"""`spacrd push` and `pull`, and `hf://` addresses, with a local server in place of the Hub."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from stand_ins.detector import made_detector, written
from stand_ins.hub import TOKEN, hub, python

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.plugins import Plugins

pytestmark = pytest.mark.slow  # the README and the tutorial, which run in CI, push, pull and use hf:// addresses

# Runs commands one after the other in one Python, and prints the exit code and output of each.
COMMANDS = """
import contextlib, io, json, sys
from spacrd_cli.main import run
for name, arguments in json.loads(sys.argv[1]).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    print(json.dumps([name, code, out.getvalue(), err.getvalue()]))
"""


class Result(NamedTuple):
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


def session(commands: dict[str, list[str]], home: Path, **settings: str) -> dict[str, Result]:
    process = python("-c", COMMANDS, json.dumps(commands), home=home, **settings)
    assert (process.returncode, process.stderr) == (0, "")
    return {name: Result(*rest) for name, *rest in map(json.loads, process.stdout.splitlines())}


class Session(NamedTuple):
    """The results of commands with a Hub, the folder, and the address, key and commit of the detector."""

    results: dict[str, Result]
    folder: Path
    address: str
    key: str
    commit: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> Path:
    """A store, a detector of its first two sections, and one that the licence of an encoder restricts."""
    folder = tmp_path_factory.mktemp("hub")
    cohort, store = write_demo_cohort(folder / "cohort", platforms=("st",) * 3), str(folder / "store")
    assert run(["ingest", store, "--cohort", str(cohort), "-q"]) == 0
    arguments = ["--encoder", "none", "--head", "linear", "--seeds", "1", "--exclude", "S3", "-q"]
    assert run(["train", store, "-o", str(folder / "detector"), *arguments]) == 0
    written(made_detector(plugins, licence="CC-BY-NC-ND-4.0"), folder / "bound")
    return folder


@pytest.fixture(scope="module")
def online(folder: Path) -> Iterator[Session]:
    mine, store, pulled = str(folder / "detector"), str(folder / "store"), str(folder / "pulled")
    commands = {
        "push": ["push", mine, "lab/breast"],
        "push --json": ["push", mine, "lab/open", "--public", "--revision", "v1", "--json", "-q"],
        "push bound": ["push", str(folder / "bound"), "lab/bound"],
        "push bound, allowed": ["push", str(folder / "bound"), "lab/bound", "--licence-allows", "-q"],
        "pull": ["pull", "hf://lab/breast", pulled],
        "pull --json": ["pull", "lab/open@v1", pulled, "--json", "-q"],
        "pull another": ["pull", "lab/bound", pulled, "-q"],
        "pull --replace": ["pull", "lab/bound", str(folder / "replaced"), "--replace", "-q"],
        "detect": ["detect", store, "hf://lab/breast", "--section", "S3", "-o", str(folder / "out"), "--json"],
        "report": ["report", store, "hf://lab/breast", "-o", str(folder / "report.html")],
        "pulled": ["detect", store, pulled, "--section", "S3", "-q", "-o", str(folder / "again")],
        "absent": ["detect", store, "hf://lab/lung", "-q"],
        "no address": ["detect", store, "hf://lung", "-q"],
        "no repository": ["push", mine, "breast", "-q"],
    }
    shutil.copytree(folder / "detector", folder / "replaced")
    with hub() as server:
        results = session(commands, folder / "home", HF_ENDPOINT=server.address, HF_TOKEN=TOKEN)
        key = json.loads((folder / "detector/config.json").read_text())["fingerprint"]
        yield Session(results, folder, server.address, key, server.repositories["lab/breast"].heads["main"])


def patients(folder: Path) -> str:
    trained_on = json.loads((folder / "detector/config.json").read_text())["trained_on"]
    return ", ".join(sorted(section["patient"] for section in trained_on))


def test_push_reports_the_patients_and_the_address(online: Session) -> None:
    result = online.results["push"]
    assert (result.code, result.out) == (0, f"{online.address}/lab/breast/tree/main (private)\n")
    names, address = result.err.splitlines()
    assert f"their patients ({patients(online.folder)})" in names
    assert address == f"detector {online.key} is hf://lab/breast@{online.commit}"


def test_push_as_json_reports_everything_and_warns_if_public(online: Session) -> None:
    result = online.results["push --json"]
    document = json.loads(result.out)
    commit = document["commit"]
    assert sorted(document.pop("files")) == [
        "README.md",
        "config.json",
        "curve.png",
        "metrics.json",
        "model.safetensors",
        "reliability.png",
    ]
    assert document == {
        "detector": online.key,
        "address": f"hf://lab/open@{commit}",
        "repository": "lab/open",
        "revision": "v1",
        "commit": commit,
        "url": f"{online.address}/lab/open/tree/v1",
        "private": False,
    }
    assert result.err.startswith("warning: ")
    assert f"their patients ({patients(online.folder)}): they will be public" in result.err


def test_a_restricted_detector_is_pushed_with_a_flag_and_pulled_with_a_note(online: Session) -> None:
    refused = online.results["push bound"]
    assert refused.code == 1
    assert refused.err.splitlines()[1].startswith("error: the detector was trained on embeddings from 'uni'")
    assert "--licence-allows" in refused.err.splitlines()[2]
    assert online.results["push bound, allowed"].code == 0
    note = online.results["pull --replace"].err
    assert note.startswith("warning: the licence of its encoder (CC-BY-NC-ND-4.0) may also cover the detector")


def test_pull_writes_a_folder_and_reports_the_commit(online: Session) -> None:
    result = online.results["pull"]
    assert (result.code, result.out) == (0, f"detector {online.key} is in {online.folder / 'pulled'}\n")
    assert result.err.splitlines()[-1] == f"the detector is hf://lab/breast@{online.commit}"


def test_pull_as_json_reports_everything(online: Session) -> None:
    result = online.results["pull --json"]
    pushed = json.loads(online.results["push --json"].out)
    expected = {key: pushed[key] for key in ("detector", "repository", "revision", "commit")}
    assert json.loads(result.out) == expected | {"folder": str(online.folder / "pulled")}
    assert result.err == ""


def test_another_detector_is_replaced_only_on_request(online: Session) -> None:
    assert online.results["pull another"].err.splitlines() == [
        f"error: {online.folder / 'pulled'} contains another detector ({online.key})",
        "hint: choose another folder, or add --replace",
    ]
    replaced, bound = (json.loads((online.folder / name / "config.json").read_text()) for name in ("replaced", "bound"))
    assert replaced == bound


def test_detect_and_report_accept_a_detector_on_the_hub_and_record_its_commit(online: Session) -> None:
    result = online.results["detect"]
    assert (result.code, list(json.loads(result.out)["sections"])) == (0, ["S3"])
    assert f"the detector is hf://lab/breast@{online.commit}" in result.err.splitlines()
    provenance = json.loads((online.folder / "out/manifest.json").read_text())["provenance"]
    assert provenance["detector"] == online.key
    assert provenance["more"] == {"fetched from": f"hf://lab/breast@{online.commit}"}
    assert online.results["report"].code == 0
    assert f"hf://lab/breast@{online.commit}" in (online.folder / "report.html").read_text()


def test_a_pulled_detector_gives_the_same_calls_as_the_one_on_the_hub(online: Session) -> None:
    assert online.results["pulled"].code == 0
    from_hub, pulled = ((online.folder / name / "S3.spots.csv").read_bytes() for name in ("out", "again"))
    assert from_hub == pulled


def test_a_missing_detector_is_an_error(online: Session) -> None:
    assert online.results["absent"].code == 1
    error, hint = online.results["absent"].err.splitlines()
    assert error.startswith("error: cannot download the detector from lab/lung: ")
    assert "does not exist or is private (404)" in error
    assert "https://huggingface.co/lab/lung" in hint
    for name, text in {"no address": "hf://lung", "no repository": "breast"}.items():
        error, hint = online.results[name].err.splitlines()
        assert error == f"error: '{text}' is not the address of a detector"
        assert "hf://owner/name[@revision]" in hint


@pytest.mark.slow
def test_offline_the_cached_copy_is_used_with_a_note(online: Session) -> None:
    command = ["detect", str(online.folder / "store"), "hf://lab/breast", "--section", "S3", "-q"]
    result = session({"detect": command}, online.folder / "home", HF_HUB_OFFLINE="1")["detect"]
    assert result.code == 0
    assert result.err.startswith("warning: hf://lab/breast cannot be looked up on the Hub")
    assert f"the cached copy is used, commit {online.commit}" in result.err


def test_push_of_a_folder_without_a_detector_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["push", str(tmp_path), "lab/breast"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == f"error: there is no detector at {tmp_path}"
