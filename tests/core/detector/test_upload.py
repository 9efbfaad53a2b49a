"""Detectors pushed to the Hub: verified first and private by default, with a local server in place of the Hub."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from stand_ins.detector import files_of, made_detector, written
from stand_ins.hub import INVALID_TOKEN, OTHER_TOKEN, TOKEN, Hub, Repository, hub, python

from spacrd_core.plugins import Plugins

pytestmark = pytest.mark.slow  # tests/docs pushes to the same stand-in for the Hub

# Pushes one detector after the other, and prints the commit of each, or the message and hint.
PUSH = """
import json, os, sys
from pathlib import Path
from spacrd_core.detector.address import Address
from spacrd_core.detector.upload import push
from spacrd_core.errors import DetectorError
from spacrd_core.plugins import load_plugins
for name, folder, address, token, options in json.loads(sys.argv[1]):
    os.environ.pop("HF_TOKEN", None)
    os.environ.update({"HF_TOKEN": token} if token else {})
    try:
        pushed = push(Path(folder), Address.parse(address), heads=load_plugins().heads, **options)
        result = {"commit": pushed.origin.commit, "url": pushed.url, "private": pushed.private, "files": pushed.files}
    except DetectorError as error:
        result = {"message": str(error), "hint": error.hint}
    print(json.dumps({"name": name} | result))
"""
FILES = ["README.md", "config.json", "curve.png", "metrics.json", "model.safetensors", "reliability.png"]
COMMIT = "a" * 40
Results = dict[str, dict[str, Any]]


class Failure(NamedTuple):
    """A push that fails, and phrases of the error: {hub}, {folders} and {page} are filled in."""

    message: tuple[str, ...]
    hint: tuple[str, ...]
    repository: Repository | None = None
    token: str | None = TOKEN
    options: dict[str, bool] = {}  # noqa: RUF012 - never changed
    folder: str = "trained"
    revision: str = ""


FAILURES = {
    "no-token": Failure(("needs a Hugging Face token",), ("hf auth login", "write access", "HF_TOKEN"), token=None),
    "bad-token": Failure(
        ("cannot push the detector to lab/bad-token: ", "token is not valid (401)"),
        ("hf auth login", "unset HF_TOKEN"),
        token=INVALID_TOKEN,
    ),
    "not-ours-to-make": Failure(
        ("cannot push the detector to lab/not-ours-to-make: ", "no write access (403)"),
        ("token with write access",),
        token=OTHER_TOKEN,
    ),
    "not-ours-to-write": Failure(
        ("cannot push the detector to lab/not-ours-to-write: ", "no write access (403)"),
        ("token with write access",),
        Repository(),
        OTHER_TOKEN,
        {"private": False},
    ),
    "public-already": Failure(
        ("repository lab/public-already is public", "--private does not change it"),
        ("add --public", "{hub}/lab/public-already/settings"),
        Repository(),
    ),
    "private-already": Failure(
        ("repository lab/private-already is private", "--public does not change it"),
        ("add --private", "{hub}/lab/private-already/settings"),
        Repository(private=True),
        options={"private": False},
    ),
    "busy": Failure(
        ("cannot push the detector to lab/busy: ", "{hub} is not available", "(503)"),
        ("try again later",),
        Repository(status=503),
    ),
    "silent": Failure(
        ("cannot push the detector to lab/silent: ", "{hub} did not respond within 1 s"),
        ("HF_HUB_ETAG_TIMEOUT",),
        Repository(silent=True),
    ),
    "full": Failure(
        ("cannot push the detector to lab/full: ", "Bad request (400)"),
        ("try again, or check {page}",),
        Repository(private=True, full=True),
    ),
    "no-metadata": Failure(
        ("the Hub rejects the model card", "metadata is not valid YAML"), ("delete README.md",), folder="edited card"
    ),
    "other-weights": Failure(
        ("{folders}/other weights/model.safetensors does not match config.json",),
        ("copy the detector again",),
        folder="other weights",
    ),
    "changed": Failure(
        ("{folders}/changed/config.json was changed after training",), ("copy the detector again",), folder="changed"
    ),
    "nowhere": Failure(
        ("there is no detector at {folders}/nowhere",), ("spacrd train STORE -o {folders}/nowhere",), folder="nowhere"
    ),
    "bound": Failure(
        ("trained on embeddings from 'uni'", "licence (CC-BY-NC-ND-4.0) may cover the detector"),
        ("read the licence", "--licence-allows"),
        folder="bound",
    ),
    "commit": Failure((f"'{COMMIT}' is a commit",), ("--revision NAME",), revision=f"@{COMMIT}"),
}


def push_all(cases: list[list[Any]], home: Path, **settings: str) -> Results:
    process = python("-c", PUSH, json.dumps(cases), home=home, **settings)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return {result.pop("name"): result for result in map(json.loads, process.stdout.splitlines())}


def case(name: str, folder: Path, address: str, token: str | None = TOKEN, **options: bool) -> list[Any]:
    return [name, str(folder), address, token, options]


@pytest.fixture(scope="module")
def folders(trained: Path, plugins: Plugins) -> Path:
    """The folder of the trained detector, of a restricted and an unrestricted one, and of damaged ones."""
    written(made_detector(plugins, licence="CC-BY-NC-ND-4.0"), trained.parent / "bound")
    written(made_detector(plugins, licence="apache-2.0"), trained.parent / "free")
    changes = {
        "edited card": ("README.md", b"my detector"),
        "other weights": ("model.safetensors", b"others"),
        "changed": ("config.json", (trained / "config.json").read_bytes().replace(b'"B"', b'"Z"')),
    }
    for name, (file, content) in changes.items():
        (trained.parent / name).mkdir()
        for file_name, file_content in (files_of(trained) | {file: content}).items():
            (trained.parent / name / file_name).write_bytes(file_content)
    return trained.parent


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory, trained: Path, folders: Path) -> Results:
    """The results of all failing pushes from one Python; nothing may have been committed."""
    with hub() as server:
        server.repositories |= {f"lab/{name}": each.repository for name, each in FAILURES.items() if each.repository}
        cases = [
            case(
                name,
                trained if failure.folder == "trained" else folders / failure.folder,
                f"lab/{name}{failure.revision}",
                failure.token,
                **failure.options,
            )
            for name, failure in FAILURES.items()
        ]
        home = tmp_path_factory.mktemp("home")
        results = push_all(cases, home, HF_ENDPOINT=server.address, HF_HUB_ETAG_TIMEOUT="1")
        assert not server.messages
        assert not server.stored
        return results | {"places": {"hub": server.address, "folders": str(folders)}}


@pytest.mark.ci_cases(5)
@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_its_own_message_and_hint(failures: Results, name: str) -> None:
    places = failures["places"] | {"page": f"https://huggingface.co/lab/{name}"}
    for phrase in FAILURES[name].message:
        assert phrase.format(**places) in failures[name]["message"]
    for phrase in FAILURES[name].hint:
        assert phrase.format(**places) in failures[name]["hint"]


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory, trained: Path, folders: Path) -> Iterator[tuple[Hub, Results]]:
    """The Hub and the results after successful pushes from one Python."""
    (trained / "notes.txt").write_text("not for others")
    cases = [
        case("first", trained, "lab/breast"),
        case("again", trained, "lab/breast"),
        case("branch", folders / "free", "lab/breast@v2"),
        case("public", trained, "lab/open", private=False),
        case("agreed", folders / "bound", "lab/bound", licence_allows=True),
    ]
    with hub() as server:
        yield server, push_all(cases, tmp_path_factory.mktemp("home"), HF_ENDPOINT=server.address)
    (trained / "notes.txt").unlink()


Pushes = tuple[Hub, Results]


@pytest.mark.slow
def test_a_detector_goes_into_a_new_private_repository_in_one_commit(pushed: Pushes, trained: Path) -> None:
    server, results = pushed
    repository, first = server.repositories["lab/breast"], results["first"]
    files = files_of(trained)
    del files["notes.txt"]
    assert repository.private
    assert repository.history[first["commit"]] == files | {".gitattributes": b""}
    assert server.messages[0] == f"SpaCRD detector {json.loads(files['config.json'])['fingerprint']}"
    assert first["url"] == f"{server.address}/lab/breast/tree/main"
    assert first["private"]
    assert sorted(first["files"]) == FILES


def test_pushed_again_it_is_the_same_commit(pushed: Pushes) -> None:
    server, results = pushed
    assert results["again"] == results["first"]
    assert len(server.messages) == 4  # five pushes


def test_another_branch_is_created_and_main_is_unchanged(pushed: Pushes, folders: Path) -> None:
    server, results = pushed
    heads = server.repositories["lab/breast"].heads
    assert heads == {"main": results["first"]["commit"], "v2": results["branch"]["commit"]}
    assert server.repositories["lab/breast"].history[heads["v2"]].items() >= files_of(folders / "free").items()
    assert results["branch"]["url"] == f"{server.address}/lab/breast/tree/v2"


def test_only_a_public_push_makes_a_public_repository(pushed: Pushes) -> None:
    server, results = pushed
    assert [name for name, repository in server.repositories.items() if not repository.private] == ["lab/open"]
    assert not results["public"]["private"]


def test_a_pulled_detector_equals_the_pushed_one(pushed: Pushes, trained: Path, tmp_path: Path) -> None:
    server, results = pushed
    code = "from pathlib import Path; from spacrd_core.detector.locate import pull; import sys\n"
    code += "from spacrd_core.detector.address import Address; pull(Address.parse(sys.argv[1]), Path(sys.argv[2]))"
    arguments = ("-c", code, "lab/breast", str(tmp_path / "pulled"))
    process = python(*arguments, home=tmp_path / "home", HF_ENDPOINT=server.address, HF_TOKEN=TOKEN)
    assert process.returncode == 0, process.stderr
    files = files_of(tmp_path / "pulled")
    assert json.loads(files.pop("hub.json"))["commit"] == results["first"]["commit"]
    assert files.items() < files_of(trained).items()


@pytest.mark.slow
def test_offline_nothing_is_pushed(trained: Path, tmp_path: Path) -> None:
    result = push_all([case("breast", trained, "lab/breast")], tmp_path, HF_HUB_OFFLINE="1")["breast"]
    assert result["message"] == "cannot push the detector to lab/breast: HF_HUB_OFFLINE is set"
    assert result["hint"] == "unset HF_HUB_OFFLINE"
