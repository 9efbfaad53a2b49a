"""Detectors of the Hub: found, fetched and put into a folder. A stand-in of the Hub answers on this machine."""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
from stand_ins.detector import files_of, made_detector, written
from stand_ins.hub import COMMIT, INVALID_TOKEN, OTHER_TOKEN, TOKEN, Hub, Repository, hub, python

from spacrd_core.detector.address import Address
from spacrd_core.errors import DetectorError

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.plugins import Plugins

# Asks for detectors one after the other, and prints for each the folder and commit, or the sentence and the remedy.
FIND = """
import json, os, sys
from pathlib import Path
from spacrd_core.errors import DetectorError
from spacrd_core.detector.address import Address
from spacrd_core.detector.locate import find_detector, pull
for name, address, token, *folder in json.loads(sys.argv[1]):
    os.environ.pop("HF_TOKEN", None)
    os.environ.update({"HF_TOKEN": token} if token else {})
    try:
        found = pull(Address.of(address), Path(folder[0])) if folder else find_detector(address)
        answer = {"folder": str(found.folder), "commit": found.origin.commit, "note": found.note}
    except DetectorError as error:
        answer = {"message": str(error), "hint": error.hint}
    print(json.dumps({"name": name} | answer))
assert "torch" not in sys.modules
"""
Answers = dict[str, dict[str, Any]]
NO_DETECTOR = "repository lab/{name} holds no SpaCRD detector: "
HOLDS = "a detector's repository holds config.json, model.safetensors, metrics.json, as `spacrd push` writes them"
PAGE = "https://huggingface.co/lab/{name}"
IF_GATED = f" (if it is gated: request access at {PAGE}, then `hf auth login`)"
OBSTACLES: dict[str, tuple[Repository | None, str, str | None, str, str]] = {
    # what: (the repository, its revision, token, what is said, what is advised)
    "gated-no-token": (
        Repository(granted=frozenset({TOKEN})),
        "",
        None,
        "the detector lab/{name} is gated, and there is no Hugging Face token (401)",
        f"request access at {PAGE}, then `hf auth login` or set HF_TOKEN",
    ),
    "gated-not-granted": (
        Repository(granted=frozenset({TOKEN})),
        "",
        OTHER_TOKEN,
        "the detector lab/{name} is gated, and the account of the Hugging Face token is not on its list (403)",
        f"request access at {PAGE} and wait for it (the token must allow gated repositories)",
    ),
    "bad-token": (
        Repository(),
        "",
        INVALID_TOKEN,
        "the detector lab/{name} was refused: the Hugging Face token is not valid (401)",
        "`hf auth login` with a valid one, or unset HF_TOKEN",
    ),
    "private-no-token": (
        Repository(private=True),
        "",
        None,
        "repository lab/{name} does not exist or is private (401)",
        f"look at {PAGE}; if it is private, `hf auth login` or set HF_TOKEN",
    ),
    "absent": (
        None,
        "",
        TOKEN,
        "repository lab/{name} does not exist or is private (404)",
        f"look at {PAGE}",
    ),
    "no-revision": (
        Repository(),
        "@v9",
        None,
        "repository lab/{name} has no revision 'v9'",
        f"look at {PAGE}/commits",
    ),
    "dataset": (
        Repository(kind="dataset"),
        "",
        TOKEN,
        "lab/{name} is a dataset of the Hub, and detectors lie among its models",
        HOLDS,
    ),
    "empty": (Repository(), "", None, NO_DETECTOR + "it has no config.json", HOLDS),
    "another-model": (
        Repository({"config.json": b'{"model_type": "vit"}', "model.safetensors": b"weights"}),
        "",
        None,
        NO_DETECTOR + "its config.json is of something else",
        HOLDS,
    ),
    "busy": (Repository(status=503), "", None, "{hub} cannot serve lab/{name} at the moment (503)", "try again later"),
    "silent": (
        Repository(silent=True),
        "",
        None,
        "{hub} did not answer within 1 s, and the detector lab/{name} is not in the cache {cache}",
        f"check the connection, or set HF_HUB_ETAG_TIMEOUT to wait longer{IF_GATED}",
    ),
}


def ask(cases: list[list[Any]], home: Path, **settings: str) -> Answers:
    done = python("-c", FIND, json.dumps(cases), home=home, **settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return {answer.pop("name"): answer for answer in map(json.loads, done.stdout.splitlines())}


def find(home: Path, address: str = "hf://lab/breast", **settings: str) -> dict[str, Any]:
    return ask([["it", address, None]], home, **settings)["it"]


def pulled(home: Path, folder: Path, **settings: str) -> dict[str, Any]:
    return ask([["it", "lab/breast", None, str(folder)]], home, **settings)["it"]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What every obstacle makes of the same question, asked by one Python that waits a second for an answer."""
    home = tmp_path_factory.mktemp("home")
    with hub() as server:
        server.repositories |= {f"lab/{name}": case[0] for name, case in OBSTACLES.items() if case[0]}
        cases = [[name, f"hf://lab/{name}{case[1]}", case[2]] for name, case in OBSTACLES.items()]
        answers = ask(cases, home, HF_ENDPOINT=server.address, HF_HUB_ETAG_TIMEOUT="1")
        return answers | {"places": {"hub": server.address, "cache": str(home / "hub")}}


@pytest.mark.parametrize("name", OBSTACLES)
def test_every_obstacle_has_its_own_sentence_and_remedy(refusals: Answers, name: str) -> None:
    says, advises = (text.format(name=name, **refusals["places"]) for text in OBSTACLES[name][3:])
    assert refusals[name] == {"message": says, "hint": advises}


def test_offline_names_the_cache_that_lacks_the_detector(tmp_path: Path) -> None:
    assert find(tmp_path, HF_HUB_OFFLINE="1") == {
        "message": "HF_HUB_OFFLINE forbids to ask the Hub, and the detector lab/breast is not in the cache "
        f"{tmp_path / 'hub'}",
        "hint": "unset HF_HUB_OFFLINE, or `hf download lab/breast` where there is a network (if it is gated: request "
        "access at https://huggingface.co/lab/breast, then `hf auth login`)",
    }


def test_a_hub_out_of_reach_is_told(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    message = find(tmp_path, HF_ENDPOINT=address)["message"]
    assert message.startswith(f"{address} cannot be reached (")
    assert message.endswith(f"and the detector lab/breast is not in the cache {tmp_path / 'hub'}")


def test_a_detector_is_fetched_into_the_cache_file_by_file_and_nothing_else(
    trained: Path, stand_in: Hub, tmp_path: Path
) -> None:
    others = {"setup.py": b"raise SystemExit", "pytorch_model.bin": b"pickle"}
    stand_in.repositories["lab/breast"] = Repository(files_of(trained) | others)
    found = find(tmp_path, HF_ENDPOINT=stand_in.address)
    assert (found["commit"], found["note"]) == (COMMIT, "")
    assert files_of(tmp_path / found["folder"]) == files_of(trained)
    assert not [line for line in stand_in.asked if "setup.py" in line or "pytorch_model" in line]


def test_a_commit_in_the_cache_is_taken_without_asking_and_a_branch_is_asked_for(
    trained: Path, stand_in: Hub, tmp_path: Path
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    find(tmp_path, HF_ENDPOINT=stand_in.address)
    asked = len(stand_in.asked)
    assert find(tmp_path, f"hf://lab/breast@{COMMIT}", HF_ENDPOINT=stand_in.address)["commit"] == COMMIT
    assert len(stand_in.asked) == asked
    find(tmp_path, HF_ENDPOINT=stand_in.address)
    assert stand_in.asked[asked:] == ["HEAD /lab/breast/resolve/main/config.json"]


def test_a_newer_detector_of_a_branch_is_fetched(
    trained: Path, stand_in: Hub, tmp_path: Path, plugins: Plugins
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    find(tmp_path, HF_ENDPOINT=stand_in.address)
    newer = files_of(written(made_detector(plugins, patients="ABD"), tmp_path / "newer"))
    commit = stand_in.repositories["lab/breast"].commit("main", newer)
    found = find(tmp_path, HF_ENDPOINT=stand_in.address)
    assert found["commit"] == commit
    assert files_of(tmp_path / found["folder"]) == newer


@pytest.mark.parametrize("settings", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_out_of_reach_the_copy_in_the_cache_is_taken_and_said(
    trained: Path, stand_in: Hub, tmp_path: Path, settings: dict[str, str]
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    online = find(tmp_path, HF_ENDPOINT=stand_in.address)
    note = f"the Hub cannot be asked for hf://lab/breast: the copy in the cache is taken, commit {COMMIT}"
    assert find(tmp_path, **settings) == online | {"note": note}


def test_a_copy_in_the_cache_does_not_stand_in_for_a_repository_that_is_gone(
    trained: Path, stand_in: Hub, tmp_path: Path
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    find(tmp_path, HF_ENDPOINT=stand_in.address)
    del stand_in.repositories["lab/breast"]
    assert find(tmp_path, HF_ENDPOINT=stand_in.address)["message"].startswith("repository lab/breast does not exist")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("model.safetensors", b"other weights", "is not the file its config.json was written for"),
        ("config.json", None, "was changed after training"),
    ],
)
def test_a_damaged_detector_is_refused_and_no_folder_made(
    trained: Path, stand_in: Hub, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    files = files_of(trained)
    files[name] = content or files[name].replace(b'"threshold"', b'"threshold" ').replace(b'"B"', b'"Z"')
    stand_in.repositories["lab/breast"] = Repository(files)
    answer = pulled(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    assert re.fullmatch(rf"the detector hf://lab/breast is damaged: \S+{name} {says}", answer["message"])
    cache = tmp_path / "home" / "hub" / "models--lab--breast"
    assert answer["hint"] == f"delete {cache} and try again; if that is no help, it must be pushed again"
    assert not (tmp_path / "pulled").exists()


def test_a_detector_of_a_newer_spacrd_asks_for_an_update(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    config = json.loads((trained / "config.json").read_text()) | {"schema_version": 99}
    files = files_of(trained) | {"config.json": json.dumps(config).encode()}
    stand_in.repositories["lab/breast"] = Repository(files)
    assert find(tmp_path, HF_ENDPOINT=stand_in.address)["hint"] == "update SpaCRD"


def test_a_download_that_breaks_off_leaves_no_folder_and_goes_on_where_it_stopped(
    trained: Path, stand_in: Hub, tmp_path: Path
) -> None:
    whole = files_of(trained)
    stand_in.repositories["lab/breast"] = Repository({name: whole[name] for name in whole if name != "metrics.json"})
    broken = pulled(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    assert broken["message"] == "repository lab/breast holds no SpaCRD detector: it has no metrics.json"
    assert not (tmp_path / "pulled").exists()
    stand_in.repositories["lab/breast"].files["metrics.json"] = whole["metrics.json"]
    asked = len(stand_in.asked)
    assert pulled(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)["commit"] == COMMIT
    assert not [line for line in stand_in.asked[asked:] if line.startswith("GET") and "model.safetensors" in line]


def test_a_torn_download_is_told_and_leaves_no_folder(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained), torn=True)
    answer = pulled(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    assert answer["message"].startswith("the detector lab/breast could not be downloaded: ")
    assert answer["hint"] == "try again or look at https://huggingface.co/lab/breast"
    assert not (tmp_path / "pulled").exists()


def test_a_pulled_folder_is_the_detector_and_the_commit_it_came_from(
    trained: Path, stand_in: Hub, tmp_path: Path
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    pulled(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    files = files_of(tmp_path / "pulled")
    assert json.loads(files.pop("hub.json")) == {
        "schema_version": 1,
        "repository": "lab/breast",
        "revision": "main",
        "commit": COMMIT,
    }
    assert files == files_of(trained)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "pulled"]


def test_another_detector_is_not_written_over(trained: Path, stand_in: Hub, tmp_path: Path, plugins: Plugins) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    mine = made_detector(plugins, patients="AB")
    before = files_of(written(mine, tmp_path / "mine"))
    answer = pulled(tmp_path / "home", tmp_path / "mine", HF_ENDPOINT=stand_in.address)
    assert answer["message"] == f"{tmp_path / 'mine'} holds another detector ({mine.config.key})"
    assert answer["hint"] == "name another folder, or add --replace"
    assert files_of(tmp_path / "mine") == before


def test_a_folder_with_other_files_is_refused_before_the_hub_is_asked(stand_in: Hub, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    answer = pulled(tmp_path / "home", tmp_path, HF_ENDPOINT=stand_in.address)
    assert answer["message"] == f"{tmp_path} holds other files and is no detector"
    assert stand_in.asked == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hf://lab/breast", Address("lab/breast")),
        ("lab/breast", Address("lab/breast")),
        ("hf://lab/breast@v1.0", Address("lab/breast", "v1.0")),
        ("lab/breast@refs/pr/1", Address("lab/breast", "refs/pr/1")),
    ],
)
def test_an_address_is_a_repository_and_a_revision(text: str, address: Address) -> None:
    assert Address.of(text) == address
    assert Address.of(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["hf://breast", "hf://lab/breast/v1", "https://huggingface.co/lab/breast", "hf://lab/b@", "lab/b@../../c", ""],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(DetectorError) as caught:
        Address.of(text)
    assert str(caught.value) == f"'{text}' is no address of a detector"
    assert caught.value.hint == "a detector of the Hub reads hf://owner/name[@revision]"


def test_an_address_of_a_dataset_is_refused() -> None:
    with pytest.raises(DetectorError) as caught:
        Address.of("hf://datasets/lab/breast")
    expected = "'hf://datasets/lab/breast' is one of the Hub's datasets, and detectors lie among its models"
    assert str(caught.value) == expected
