"""Detectors pushed to the Hub: looked over first, private unless said otherwise. A stand-in of the Hub takes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from stand_ins.detector import files_of, made_detector, written
from stand_ins.hub import INVALID_TOKEN, OTHER_TOKEN, TOKEN, Hub, Repository, hub, python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.plugins import Plugins

# Pushes one detector after the other, and prints for each where it went, or the sentence and the remedy.
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
        pushed = push(Path(folder), Address.of(address), heads=load_plugins().heads, **options)
        answer = {"commit": pushed.origin.commit, "url": pushed.url, "private": pushed.private, "files": pushed.files}
    except DetectorError as error:
        answer = {"message": str(error), "hint": error.hint}
    print(json.dumps({"name": name} | answer))
"""
FILES = ["README.md", "config.json", "curve.png", "metrics.json", "model.safetensors", "reliability.png"]
COMMIT = "a" * 40
Answers = dict[str, dict[str, Any]]


class Refusal(NamedTuple):
    """What is said and advised, and what was asked for."""

    says: str
    advises: str
    repository: Repository | None = None
    token: str | None = TOKEN
    options: dict[str, bool] = {}  # noqa: RUF012 - never changed
    folder: str = "trained"
    revision: str = ""


REFUSALS = {
    "no-token": Refusal(
        "to push, the Hub must know who you are, and there is no Hugging Face token",
        "`hf auth login` with a token that may write, or set HF_TOKEN",
        token=None,
    ),
    "bad-token": Refusal(
        "the detector lab/bad-token was refused: the Hugging Face token is not valid (401)",
        "`hf auth login` with a valid one, or unset HF_TOKEN",
        token=INVALID_TOKEN,
    ),
    "not-ours-to-make": Refusal(
        "the detector lab/not-ours-to-make was refused to the Hugging Face token (403)",
        "use a token that may write there",
        token=OTHER_TOKEN,
    ),
    "not-ours-to-write": Refusal(
        "the detector lab/not-ours-to-write was refused to the Hugging Face token (403)",
        "use a token that may write there",
        Repository(),
        OTHER_TOKEN,
        {"private": False},
    ),
    "public-already": Refusal(
        "repository lab/public-already is public, and --private changes nothing of it",
        "add --public, take another name, or change it at {hub}/lab/public-already/settings",
        Repository(),
    ),
    "private-already": Refusal(
        "repository lab/private-already is private, and --public changes nothing of it",
        "add --private, take another name, or change it at {hub}/lab/private-already/settings",
        Repository(private=True),
        options={"private": False},
    ),
    "busy": Refusal("{hub} cannot serve lab/busy at the moment (503)", "try again later", Repository(status=503)),
    "silent": Refusal(
        "{hub} did not answer within 1 s",
        "check the connection, or set HF_HUB_ETAG_TIMEOUT to wait longer",
        Repository(silent=True),
    ),
    "full": Refusal(
        "the detector lab/full could not be pushed: Bad request (400)",
        "try again or look at https://huggingface.co/lab/full",
        Repository(private=True, full=True),
    ),
    "no-metadata": Refusal(
        "the Hub does not take the model card: Invalid metadata in README.md. - metadata is not valid YAML",
        "delete README.md: it is written anew",
        folder="edited card",
    ),
    "other-weights": Refusal(
        "{folders}/other weights/model.safetensors is not the file its config.json was written for",
        "copy the detector again",
        folder="other weights",
    ),
    "changed": Refusal(
        "{folders}/changed/config.json was changed after training",
        "copy the detector again, or train anew",
        folder="changed",
    ),
    "nowhere": Refusal(
        "there is no detector at {folders}/nowhere", "spacrd train STORE -o {folders}/nowhere", folder="nowhere"
    ),
    "bound": Refusal(
        "the detector was trained on what 'uni' says of images, and that encoder's licence (CC-BY-NC-ND-4.0) may reach "
        "it: it may forbid to hand the detector on, or to use it commercially",
        "read the licence; if it allows what you are about to do, push with --licence-allows",
        folder="bound",
    ),
    "commit": Refusal(
        f"'{COMMIT}' is a commit, and a push makes a new one", "name a branch: --revision NAME", revision=f"@{COMMIT}"
    ),
}


def ask(cases: list[list[Any]], home: Path, **settings: str) -> Answers:
    done = python("-c", PUSH, json.dumps(cases), home=home, **settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return {answer.pop("name"): answer for answer in map(json.loads, done.stdout.splitlines())}


def case(name: str, folder: Path, address: str, token: str | None = TOKEN, **options: bool) -> list[Any]:
    return [name, str(folder), address, token, options]


@pytest.fixture(scope="module")
def folders(trained: Path, plugins: Plugins) -> Path:
    """Beside the trained detector: one that its encoder's licence reaches, one that none does, and damaged ones."""
    written(made_detector(plugins, licence="CC-BY-NC-ND-4.0"), trained.parent / "bound")
    written(made_detector(plugins, licence="apache-2.0"), trained.parent / "free")
    changes = {
        "edited card": ("README.md", b"my detector"),
        "other weights": ("model.safetensors", b"others"),
        "changed": ("config.json", (trained / "config.json").read_bytes().replace(b'"B"', b'"Z"')),
    }
    for name, (file, content) in changes.items():
        (trained.parent / name).mkdir()
        for kept, held in (files_of(trained) | {file: content}).items():
            (trained.parent / name / kept).write_bytes(held)
    return trained.parent


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory, trained: Path, folders: Path) -> Answers:
    """What every obstacle makes of a push, all asked by one Python; nothing may have been committed."""
    with hub() as server:
        server.repositories |= {f"lab/{name}": case.repository for name, case in REFUSALS.items() if case.repository}
        cases = [
            case(
                name,
                trained if given.folder == "trained" else folders / given.folder,
                f"lab/{name}{given.revision}",
                given.token,
                **given.options,
            )
            for name, given in REFUSALS.items()
        ]
        home = tmp_path_factory.mktemp("home")
        answers = ask(cases, home, HF_ENDPOINT=server.address, HF_HUB_ETAG_TIMEOUT="1")
        assert not server.messages
        assert not server.stored
        return answers | {"places": {"hub": server.address, "folders": str(folders)}}


@pytest.mark.parametrize("name", REFUSALS)
def test_every_obstacle_has_its_own_sentence_and_remedy(refusals: Answers, name: str) -> None:
    says, advises = (text.format(**refusals["places"]) for text in REFUSALS[name][:2])
    assert refusals[name] == {"message": says, "hint": advises}


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory, trained: Path, folders: Path) -> Iterator[tuple[Hub, Answers]]:
    """Pushes that succeed, by one Python, and the Hub that took them."""
    (trained / "notes.txt").write_text("not for others")
    cases = [
        case("first", trained, "lab/breast"),
        case("again", trained, "lab/breast"),
        case("branch", folders / "free", "lab/breast@v2"),
        case("public", trained, "lab/open", private=False),
        case("agreed", folders / "bound", "lab/bound", licence_allows=True),
    ]
    with hub() as server:
        yield server, ask(cases, tmp_path_factory.mktemp("home"), HF_ENDPOINT=server.address)
    (trained / "notes.txt").unlink()


Pushes = tuple[Hub, Answers]


def test_a_detector_goes_into_a_new_private_repository_in_one_commit(pushed: Pushes, trained: Path) -> None:
    server, answers = pushed
    repository, first = server.repositories["lab/breast"], answers["first"]
    files = files_of(trained)
    del files["notes.txt"]
    assert repository.private
    assert repository.history[first["commit"]] == files | {".gitattributes": b""}
    assert server.messages[0] == f"SpaCRD detector {json.loads(files['config.json'])['seal']}"
    assert first["url"] == f"{server.address}/lab/breast/tree/main"
    assert first["private"]
    assert sorted(first["files"]) == FILES


def test_pushed_again_it_is_the_same_commit(pushed: Pushes) -> None:
    server, answers = pushed
    assert answers["again"] == answers["first"]
    assert len(server.messages) == 4  # five pushes


def test_another_branch_is_made_and_leaves_main_as_it_is(pushed: Pushes, folders: Path) -> None:
    server, answers = pushed
    heads = server.repositories["lab/breast"].heads
    assert heads == {"main": answers["first"]["commit"], "v2": answers["branch"]["commit"]}
    assert server.repositories["lab/breast"].history[heads["v2"]].items() >= files_of(folders / "free").items()
    assert answers["branch"]["url"] == f"{server.address}/lab/breast/tree/v2"


def test_all_may_see_it_only_where_that_was_said(pushed: Pushes) -> None:
    server, answers = pushed
    assert [name for name, repository in server.repositories.items() if not repository.private] == ["lab/open"]
    assert not answers["public"]["private"]


def test_what_was_pushed_is_pulled_the_same(pushed: Pushes, trained: Path, tmp_path: Path) -> None:
    server, answers = pushed
    code = "from pathlib import Path; from spacrd_core.detector.locate import pull; import sys\n"
    code += "from spacrd_core.detector.address import Address; pull(Address.of(sys.argv[1]), Path(sys.argv[2]))"
    arguments = ("-c", code, "lab/breast", str(tmp_path / "pulled"))
    done = python(*arguments, home=tmp_path / "home", HF_ENDPOINT=server.address, HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    files = files_of(tmp_path / "pulled")
    assert json.loads(files.pop("hub.json"))["commit"] == answers["first"]["commit"]
    assert files.items() < files_of(trained).items()


def test_offline_nothing_is_pushed(trained: Path, tmp_path: Path) -> None:
    answer = ask([case("breast", trained, "lab/breast")], tmp_path, HF_HUB_OFFLINE="1")["breast"]
    assert answer == {"message": "HF_HUB_OFFLINE forbids to ask the Hub", "hint": "unset HF_HUB_OFFLINE"}
