"""Detectors on the Hub: located, downloaded and pulled to a folder, with a local server in place of the Hub."""

import json
import re
import socket
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from stand_ins.detector import files_of, made_detector, written
from stand_ins.hub import COMMIT, INVALID_TOKEN, OTHER_TOKEN, TOKEN, Hub, Repository, hub, python

from spacrd_core.detector.address import Address
from spacrd_core.errors import DetectorError
from spacrd_core.plugins import Plugins

# Locates or pulls one detector after the other, and prints the folder and commit of each, or the message and hint.
LOCATE = """
import json, os, sys
from pathlib import Path
from spacrd_core.errors import DetectorError
from spacrd_core.detector.address import Address
from spacrd_core.detector.locate import locate_detector, pull
for name, address, token, *folder in json.loads(sys.argv[1]):
    os.environ.pop("HF_TOKEN", None)
    os.environ.update({"HF_TOKEN": token} if token else {})
    try:
        local = pull(Address.parse(address), Path(folder[0])) if folder else locate_detector(address)
        result = {"folder": str(local.folder), "commit": local.origin.commit, "note": local.note}
    except DetectorError as error:
        result = {"message": str(error), "hint": error.hint}
    print(json.dumps({"name": name} | result))
assert "torch" not in sys.modules
"""
Results = dict[str, dict[str, Any]]


class Failure(NamedTuple):
    """A repository that cannot be used, and phrases of the error: {hub}, {cache} and {page} are filled in."""

    message: tuple[str, ...]
    hint: tuple[str, ...]
    repository: Repository | None = None
    revision: str = ""
    token: str | None = None


NO_DETECTOR = "contains no SpaCRD detector"
EXPECTED_FILES = "contains config.json, model.safetensors, metrics.json"
GATED = Repository(granted=frozenset({TOKEN}))
FAILURES = {
    "gated-no-token": Failure(
        ("cannot download the detector from lab/gated-no-token: ", "gated", "there is no Hugging Face token (401)"),
        ("request access at {page}", "hf auth login", "HF_TOKEN"),
        GATED,
    ),
    "gated-not-granted": Failure(
        ("cannot download the detector from lab/gated-not-granted: ", "gated", "has no access (403)"),
        ("request access at {page}", "wait for approval", "allow gated repositories"),
        GATED,
        token=OTHER_TOKEN,
    ),
    "bad-token": Failure(
        ("cannot download the detector from lab/bad-token: ", "token is not valid (401)"),
        ("hf auth login", "unset HF_TOKEN"),
        Repository(),
        token=INVALID_TOKEN,
    ),
    "private-no-token": Failure(
        ("cannot download the detector from lab/private-no-token: ", "does not exist or is private (401)"),
        ("check {page}", "if it is private", "hf auth login"),
        Repository(private=True),
    ),
    "absent": Failure(
        ("cannot download the detector from lab/absent: ", "does not exist or is private (404)"),
        ("check {page}",),
        token=TOKEN,
    ),
    "no-revision": Failure(
        ("cannot download the detector from lab/no-revision: ", "no revision 'v9'"),
        ("check {page}/commits",),
        Repository(),
        "@v9",
    ),
    "dataset": Failure(
        ("lab/dataset is a dataset on the Hub",), (EXPECTED_FILES,), Repository(kind="dataset"), token=TOKEN
    ),
    "empty": Failure(("lab/empty", NO_DETECTOR, "no config.json"), (EXPECTED_FILES,), Repository()),
    "another-model": Failure(
        ("lab/another-model", NO_DETECTOR, "config.json"),
        (EXPECTED_FILES,),
        Repository({"config.json": b'{"model_type": "vit"}', "model.safetensors": b"weights"}),
    ),
    "busy": Failure(
        ("cannot download the detector from lab/busy: ", "{hub} is not available", "(503)"),
        ("try again later",),
        Repository(status=503),
    ),
    "silent": Failure(
        (
            "cannot download the detector from lab/silent: ",
            "{hub} did not respond within 1 s",
            "the cache {cache} has no copy",
        ),
        ("HF_HUB_ETAG_TIMEOUT", "request it at {page}"),
        Repository(silent=True),
    ),
}


def locate_all(cases: list[list[Any]], home: Path, **settings: str) -> Results:
    process = python("-c", LOCATE, json.dumps(cases), home=home, **settings)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return {result.pop("name"): result for result in map(json.loads, process.stdout.splitlines())}


def locate(home: Path, address: str = "hf://lab/breast", **settings: str) -> dict[str, Any]:
    return locate_all([["one", address, None]], home, **settings)["one"]


def pull(home: Path, folder: Path, **settings: str) -> dict[str, Any]:
    return locate_all([["one", "lab/breast", None, str(folder)]], home, **settings)["one"]


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results for all failing repositories, from one Python that waits one second for a response."""
    home = tmp_path_factory.mktemp("home")
    with hub() as server:
        server.repositories |= {f"lab/{name}": case.repository for name, case in FAILURES.items() if case.repository}
        cases = [[name, f"hf://lab/{name}{case.revision}", case.token] for name, case in FAILURES.items()]
        results = locate_all(cases, home, HF_ENDPOINT=server.address, HF_HUB_ETAG_TIMEOUT="1")
        return results | {"places": {"hub": server.address, "cache": str(home / "hub")}}


@pytest.mark.ci_cases(4)
@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_its_own_message_and_hint(failures: Results, name: str) -> None:
    places = failures["places"] | {"page": f"https://huggingface.co/lab/{name}"}
    for phrase in FAILURES[name].message:
        assert phrase.format(**places) in failures[name]["message"]
    for phrase in FAILURES[name].hint:
        assert phrase.format(**places) in failures[name]["hint"]


def test_offline_the_error_names_the_cache_without_the_detector(tmp_path: Path) -> None:
    result = locate(tmp_path, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in result["message"]
    assert f"the cache {tmp_path / 'hub'} has no copy" in result["message"]
    for phrase in ("unset HF_HUB_OFFLINE", "hf download lab/breast", "https://huggingface.co/lab/breast"):
        assert phrase in result["hint"]


def test_an_unreachable_hub_is_reported(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    message = locate(tmp_path, HF_ENDPOINT=address)["message"]
    assert f"{address} cannot be reached (" in message
    assert f"the cache {tmp_path / 'hub'} has no copy" in message


@pytest.mark.slow
def test_only_the_files_of_a_detector_are_downloaded_to_the_cache(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    others = {"setup.py": b"raise SystemExit", "pytorch_model.bin": b"pickle"}
    stand_in.repositories["lab/breast"] = Repository(files_of(trained) | others)
    local = locate(tmp_path, HF_ENDPOINT=stand_in.address)
    assert (local["commit"], local["note"]) == (COMMIT, "")
    assert files_of(tmp_path / local["folder"]) == files_of(trained)
    assert not [line for line in stand_in.requests if "setup.py" in line or "pytorch_model" in line]


def test_a_file_larger_than_any_of_its_kind_is_not_fetched(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained) | {"README.md": bytes(2**24 + 1)})
    result = locate(tmp_path, HF_ENDPOINT=stand_in.address)
    assert "README.md in repository lab/breast has 16,777,217 bytes; a detector's has at most" in result["message"]
    assert not [line for line in stand_in.requests if line.startswith("GET") and "README.md" in line]


def test_a_cached_commit_needs_no_request_and_a_branch_is_looked_up(
    trained: Path, stand_in: Hub, tmp_path: Path
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    locate(tmp_path, HF_ENDPOINT=stand_in.address)
    before = len(stand_in.requests)
    assert locate(tmp_path, f"hf://lab/breast@{COMMIT}", HF_ENDPOINT=stand_in.address)["commit"] == COMMIT
    assert len(stand_in.requests) == before
    locate(tmp_path, HF_ENDPOINT=stand_in.address)
    assert stand_in.requests[before:] == ["HEAD /lab/breast/resolve/main/config.json"]


@pytest.mark.slow
def test_a_newer_detector_of_a_branch_is_downloaded(
    trained: Path, stand_in: Hub, tmp_path: Path, plugins: Plugins
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    locate(tmp_path, HF_ENDPOINT=stand_in.address)
    newer = files_of(written(made_detector(plugins, patients="ABD"), tmp_path / "newer"))
    commit = stand_in.repositories["lab/breast"].commit("main", newer)
    local = locate(tmp_path, HF_ENDPOINT=stand_in.address)
    assert local["commit"] == commit
    assert files_of(tmp_path / local["folder"]) == newer


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("settings", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_a_connection_the_cached_copy_is_used_with_a_note(
    trained: Path, stand_in: Hub, tmp_path: Path, settings: dict[str, str]
) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    online = locate(tmp_path, HF_ENDPOINT=stand_in.address)
    offline = locate(tmp_path, **settings)
    note = offline.pop("note")
    assert offline | {"note": ""} == online
    assert "hf://lab/breast cannot be looked up" in note
    assert f"the cached copy is used, commit {COMMIT}" in note


@pytest.mark.slow
def test_a_cached_copy_does_not_replace_a_deleted_repository(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    locate(tmp_path, HF_ENDPOINT=stand_in.address)
    del stand_in.repositories["lab/breast"]
    assert locate(tmp_path, HF_ENDPOINT=stand_in.address)["message"].count("does not exist or is private") == 1


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(
    ("name", "content", "phrase"),
    [
        ("model.safetensors", b"other weights", "does not match config.json"),
        ("config.json", None, "was changed after training"),
    ],
)
def test_a_damaged_detector_is_refused_and_no_folder_is_written(
    trained: Path, stand_in: Hub, tmp_path: Path, name: str, content: bytes | None, phrase: str
) -> None:
    files = files_of(trained)
    files[name] = content or files[name].replace(b'"threshold"', b'"threshold" ').replace(b'"B"', b'"Z"')
    stand_in.repositories["lab/breast"] = Repository(files)
    result = pull(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    assert re.search(rf"the detector hf://lab/breast is damaged: .*{name} {phrase}", result["message"])
    cache = tmp_path / "home" / "hub" / "models--lab--breast"
    assert f"delete {cache} and try again" in result["hint"]
    assert "must be pushed again" in result["hint"]
    assert not (tmp_path / "pulled").exists()


def test_a_detector_of_a_newer_spacrd_needs_an_update(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    config = json.loads((trained / "config.json").read_text()) | {"schema_version": 99}
    files = files_of(trained) | {"config.json": json.dumps(config).encode()}
    stand_in.repositories["lab/breast"] = Repository(files)
    assert locate(tmp_path, HF_ENDPOINT=stand_in.address)["hint"] == "update SpaCRD"


@pytest.mark.slow
def test_an_incomplete_download_writes_no_folder_and_can_be_resumed(
    trained: Path, stand_in: Hub, tmp_path: Path
) -> None:
    whole = files_of(trained)
    stand_in.repositories["lab/breast"] = Repository({name: whole[name] for name in whole if name != "metrics.json"})
    broken = pull(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    assert "contains no SpaCRD detector: it has no metrics.json" in broken["message"]
    assert not (tmp_path / "pulled").exists()
    stand_in.repositories["lab/breast"].files["metrics.json"] = whole["metrics.json"]
    before = len(stand_in.requests)
    assert pull(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)["commit"] == COMMIT
    assert not [line for line in stand_in.requests[before:] if line.startswith("GET") and "model.safetensors" in line]


@pytest.mark.slow
def test_a_torn_download_is_reported_and_writes_no_folder(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained), torn=True)
    result = pull(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    assert result["message"].startswith("cannot download the detector from lab/breast: ")
    assert result["hint"] == "try again, or check https://huggingface.co/lab/breast"
    assert not (tmp_path / "pulled").exists()


def test_a_pulled_folder_has_the_detector_and_its_commit(trained: Path, stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    pull(tmp_path / "home", tmp_path / "pulled", HF_ENDPOINT=stand_in.address)
    files = files_of(tmp_path / "pulled")
    assert json.loads(files.pop("hub.json")) == {
        "schema_version": 1,
        "repository": "lab/breast",
        "revision": "main",
        "commit": COMMIT,
    }
    assert files == files_of(trained)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "pulled"]


@pytest.mark.slow
def test_another_detector_is_not_replaced(trained: Path, stand_in: Hub, tmp_path: Path, plugins: Plugins) -> None:
    stand_in.repositories["lab/breast"] = Repository(files_of(trained))
    mine = made_detector(plugins, patients="AB")
    before = files_of(written(mine, tmp_path / "mine"))
    result = pull(tmp_path / "home", tmp_path / "mine", HF_ENDPOINT=stand_in.address)
    assert result["message"] == f"{tmp_path / 'mine'} contains another detector ({mine.config.key})"
    assert "--replace" in result["hint"]
    assert files_of(tmp_path / "mine") == before


def test_a_folder_with_other_files_is_refused_before_any_request(stand_in: Hub, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    result = pull(tmp_path / "home", tmp_path, HF_ENDPOINT=stand_in.address)
    assert result["message"] == f"{tmp_path} contains other files and is not a detector"
    assert stand_in.requests == []


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
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["hf://breast", "hf://lab/breast/v1", "https://huggingface.co/lab/breast", "hf://lab/b@", "lab/b@../../c", ""],
)
def test_an_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(DetectorError) as caught:
        Address.parse(text)
    assert f"'{text}' is not the address of a detector" in str(caught.value)
    assert "hf://owner/name[@revision]" in caught.value.hint


def test_an_address_of_a_dataset_is_refused() -> None:
    with pytest.raises(DetectorError, match="is in the Hub's datasets, but detectors are model repositories"):
        Address.parse("hf://datasets/lab/breast")
