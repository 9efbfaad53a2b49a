"""`spacrd push` and `pull`, and `hf://` wherever a detector is taken. A stand-in of the Hub answers on this machine."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from stand_ins.detector import made_detector, written
from stand_ins.hub import TOKEN, hub, python

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.plugins import Plugins

# Runs commands one after the other in one Python, and prints of each its exit code and what it wrote.
COMMANDS = """
import contextlib, io, json, sys
from spacrd_cli.main import run
for name, arguments in json.loads(sys.argv[1]).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    print(json.dumps([name, code, out.getvalue(), err.getvalue()]))
"""


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def session(commands: dict[str, list[str]], home: Path, **settings: str) -> dict[str, Ran]:
    done = python("-c", COMMANDS, json.dumps(commands), home=home, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return {name: Ran(*rest) for name, *rest in map(json.loads, done.stdout.splitlines())}


class Session(NamedTuple):
    """Commands that were run with a Hub, where, and what they say of the detector."""

    ran: dict[str, Ran]
    folder: Path
    address: str
    key: str
    commit: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, plugins: Plugins) -> Path:
    """A store, a detector of its first two sections, and one that an encoder's licence reaches."""
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
        ran = session(commands, folder / "home", HF_ENDPOINT=server.address, HF_TOKEN=TOKEN)
        key = json.loads((folder / "detector/config.json").read_text())["seal"]
        yield Session(ran, folder, server.address, key, server.repositories["lab/breast"].heads["main"])


def patients(folder: Path) -> str:
    trained_on = json.loads((folder / "detector/config.json").read_text())["trained_on"]
    return ", ".join(sorted(section["patient"] for section in trained_on))


def test_push_says_whose_sections_it_names_and_where_it_went(online: Session) -> None:
    told = online.ran["push"]
    assert (told.code, told.out) == (0, f"{online.address}/lab/breast/tree/main (private)\n")
    assert told.err.splitlines() == [
        f"the detector names the sections it was trained on, and their patients ({patients(online.folder)})",
        f"detector {online.key} is hf://lab/breast@{online.commit}",
    ]


def test_push_as_json_says_all_and_a_public_one_warns_though_quiet(online: Session) -> None:
    told = online.ran["push --json"]
    document = json.loads(told.out)
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
    named = f"the detector names the sections it was trained on, and their patients ({patients(online.folder)})"
    assert told.err == f"note: {named}: everybody will read them\n"


def test_what_an_encoders_licence_reaches_is_pushed_by_a_flag_and_pulled_with_a_note(online: Session) -> None:
    refused = online.ran["push bound"]
    hint = "hint: read the licence; if it allows what you are about to do, push with --licence-allows"
    assert refused.code == 1
    assert refused.err.splitlines()[1].startswith("error: the detector was trained on what 'uni' says of images")
    assert refused.err.splitlines()[2] == hint
    assert online.ran["push bound, allowed"].code == 0
    note = "note: the licence of its encoder (CC-BY-NC-ND-4.0) may reach it and what it calls\n"
    assert online.ran["pull --replace"].err == note


def test_pull_makes_a_folder_and_says_the_commit(online: Session) -> None:
    told = online.ran["pull"]
    assert (told.code, told.out) == (0, f"detector {online.key} is in {online.folder / 'pulled'}\n")
    assert told.err.splitlines()[-1] == f"the detector is hf://lab/breast@{online.commit}"


def test_pull_as_json_says_all_and_nothing_else(online: Session) -> None:
    told = online.ran["pull --json"]
    pushed = json.loads(online.ran["push --json"].out)
    kept = {key: pushed[key] for key in ("detector", "repository", "revision", "commit")}
    assert json.loads(told.out) == kept | {"folder": str(online.folder / "pulled")}
    assert told.err == ""


def test_another_detector_is_written_over_only_on_request(online: Session) -> None:
    assert online.ran["pull another"].err.splitlines() == [
        f"error: {online.folder / 'pulled'} holds another detector ({online.key})",
        "hint: name another folder, or add --replace",
    ]
    replaced, bound = (json.loads((online.folder / name / "config.json").read_text()) for name in ("replaced", "bound"))
    assert replaced == bound


def test_detect_and_report_take_a_detector_of_the_hub_and_record_its_commit(online: Session) -> None:
    told = online.ran["detect"]
    assert (told.code, list(json.loads(told.out))) == (0, ["S3"])
    assert f"the detector is hf://lab/breast@{online.commit}" in told.err.splitlines()
    provenance = json.loads((online.folder / "out/manifest.json").read_text())["provenance"]
    assert provenance["detector"] == online.key
    assert provenance["more"] == {"fetched from": f"hf://lab/breast@{online.commit}"}
    assert online.ran["report"].code == 0
    assert f"hf://lab/breast@{online.commit}" in (online.folder / "report.html").read_text()


def test_a_pulled_detector_calls_as_that_of_the_hub_does(online: Session) -> None:
    assert online.ran["pulled"].code == 0
    one, two = ((online.folder / name / "S3.spots.csv").read_bytes() for name in ("out", "again"))
    assert one == two


def test_what_is_not_there_is_said(online: Session) -> None:
    assert online.ran["absent"].code == 1
    assert online.ran["absent"].err.splitlines() == [
        "error: repository lab/lung does not exist or is private (404)",
        "hint: look at https://huggingface.co/lab/lung",
    ]
    for name, text in {"no address": "hf://lung", "no repository": "breast"}.items():
        assert online.ran[name].err.splitlines() == [
            f"error: '{text}' is no address of a detector",
            "hint: a detector of the Hub reads hf://owner/name[@revision]",
        ]


def test_offline_the_copy_in_the_cache_detects_and_says_so(online: Session) -> None:
    command = ["detect", str(online.folder / "store"), "hf://lab/breast", "--section", "S3", "-q"]
    told = session({"detect": command}, online.folder / "home", HF_HUB_OFFLINE="1")["detect"]
    said = f"the Hub cannot be asked for hf://lab/breast: the copy in the cache is taken, commit {online.commit}"
    assert (told.code, told.err) == (0, f"note: {said}\n")


def test_push_names_no_detector_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["push", str(tmp_path), "lab/breast"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == f"error: there is no detector at {tmp_path}"
