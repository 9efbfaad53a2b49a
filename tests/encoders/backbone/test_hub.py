"""Weights of the Hub: every obstacle has its sentence and its remedy. A stand-in of the Hub answers on this machine."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from stand_ins.hub import COMMIT, INVALID_TOKEN, OTHER_TOKEN, TOKEN, Hub, Repository, hub, python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Asks for files one after the other, and prints for each the path, or the sentence, the remedy and the seconds.
FETCH = """
import json, os, sys, time
from spacrd_core.errors import WeightsError
from spacrd_encoders.backbone.hub import fetch
for name, repo, files, revision, token in json.loads(sys.argv[1]):
    os.environ.pop("HF_TOKEN", None)
    os.environ.update({"HF_TOKEN": token} if token else {})
    begun = time.perf_counter()
    try:
        answer = {"path": str(fetch(repo, files, revision=revision, or_cached=("main",)))}
    except WeightsError as error:
        answer = {"message": str(error), "hint": error.hint}
    print(json.dumps({"name": name, "seconds": time.perf_counter() - begun} | answer))
"""
FILE = "model.safetensors"
GATED = {"files": {FILE: b"weights"}, "granted": frozenset({TOKEN})}
WAIT = (
    "request access at https://huggingface.co/lab/{name} and wait for it (the token must allow gated repositories), "
    "or --weights FILE"
)
PATIENCE = (
    "check the connection, or set HF_HUB_ETAG_TIMEOUT to wait longer (if they are gated: request access at "
    "https://huggingface.co/lab/{name}, then `hf auth login`), or --weights FILE"
)
OBSTACLES: dict[str, tuple[Repository | None, str, str | None, str, str]] = {
    # what: (the repository, revision asked for, token, what is said, what is advised)
    "no token": (
        Repository(**GATED),
        "main",
        None,
        "the weights of lab/{name} are gated, and there is no Hugging Face token (401)",
        "request access at https://huggingface.co/lab/{name}, then `hf auth login` or set HF_TOKEN, or --weights FILE",
    ),
    "bad token": (
        Repository(**GATED),
        "main",
        INVALID_TOKEN,
        "the weights of lab/{name} were refused: the Hugging Face token is not valid (401)",
        "`hf auth login` with a valid one, or unset HF_TOKEN, or --weights FILE",
    ),
    "not granted": (
        Repository(**GATED),
        "main",
        OTHER_TOKEN,
        "the weights of lab/{name} are gated, and the account of the Hugging Face token is not on its list (403)",
        WAIT,
    ),
    "no repository": (
        None,
        "main",
        TOKEN,
        "repository lab/{name} does not exist or is private (404)",
        "look at https://huggingface.co/lab/{name}, or --weights FILE",
    ),
    "no repository that is seen without a token": (
        None,
        "main",
        None,
        "repository lab/{name} does not exist or is private (401)",
        (
            "look at https://huggingface.co/lab/{name}; "
            "if it is private, `hf auth login` or set HF_TOKEN, or --weights FILE"
        ),
    ),
    "no revision": (
        Repository({FILE: b"weights"}),
        "v9",
        None,
        "repository lab/{name} has no revision 'v9'",
        "look at https://huggingface.co/lab/{name}/commits, or --weights FILE",
    ),
    "no file": (
        Repository({"README.md": b"soon"}),
        "main",
        None,
        "repository lab/{name} has no file model.safetensors or pytorch_model.bin",
        "look at https://huggingface.co/lab/{name}/tree/main, or --weights FILE",
    ),
    "too busy": (
        Repository(status=503),
        "main",
        None,
        "{hub} cannot serve lab/{name} at the moment (503)",
        "try again later, or --weights FILE",
    ),
    "too many requests": (
        Repository(status=429),
        "main",
        None,
        "{hub} cannot serve lab/{name} at the moment (429)",
        "try again later, or --weights FILE",
    ),
    "forbidden": (
        Repository(status=403),
        "main",
        TOKEN,
        "the weights of lab/{name} were refused to the Hugging Face token (403)",
        "use a token that may read them, or --weights FILE",
    ),
    "no answer": (
        Repository(silent=True),
        "main",
        None,
        "{hub} did not answer within 1 s, and the weights of lab/{name} are not in the cache {cache}",
        PATIENCE,
    ),
}
Answers = dict[str, dict[str, Any]]


def ask(cases: list[list[Any]], home: Path, **settings: str) -> Answers:
    done = python("-c", FETCH, json.dumps(cases), home=home, **settings)
    assert done.returncode == 0, done.stderr
    assert "Retrying" not in done.stderr
    return {answer.pop("name"): answer for answer in map(json.loads, done.stdout.splitlines())}


def case(name: str, revision: str = "main", token: str | None = None) -> list[Any]:
    return [name, f"lab/{_slug(name)}", [FILE, "pytorch_model.bin"], revision, token]


def _slug(name: str) -> str:
    return name.replace(" ", "-")


@pytest.fixture
def stand_in() -> Iterator[Hub]:
    with hub() as server:
        yield server


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What every obstacle makes of the same question, asked by one Python that waits a second for an answer."""
    home = tmp_path_factory.mktemp("home")
    with hub() as server:
        for name, (repository, *_) in OBSTACLES.items():
            server.repositories |= {f"lab/{_slug(name)}": repository} if repository else {}
        cases = [case(name, revision, token) for name, (_, revision, token, *_) in OBSTACLES.items()]
        answers = ask(cases, home, HF_ENDPOINT=server.address, HF_HUB_ETAG_TIMEOUT="1")
        return answers | {"hub": {"address": server.address, "cache": str(home / "hub")}}


@pytest.mark.parametrize("name", OBSTACLES)
def test_every_obstacle_has_its_own_sentence_and_remedy_within_seconds(refusals: Answers, name: str) -> None:
    says, advises = (text.format(name=_slug(name), **_places(refusals)) for text in OBSTACLES[name][3:])
    assert refusals[name]["message"] == says
    assert refusals[name]["hint"] == advises
    assert refusals[name]["seconds"] < 3


def _places(refusals: Answers) -> dict[str, str]:
    return {"hub": refusals["hub"]["address"], "cache": refusals["hub"]["cache"]}


def test_no_two_obstacles_are_told_alike() -> None:
    sentences = {told.replace("404", "").replace("401", "") for *_, told, _ in OBSTACLES.values()}
    assert len(sentences) >= len(OBSTACLES) - 2  # a repository that is absent, and a Hub that is busy, come in two ways


def test_offline_names_the_cache_that_lacks_the_weights(tmp_path: Path) -> None:
    answer = ask([case("uni")], tmp_path, HF_HUB_OFFLINE="1")["uni"]
    assert answer["message"] == (
        f"HF_HUB_OFFLINE forbids to ask the Hub, and the weights of lab/uni are not in the cache {tmp_path / 'hub'}"
    )
    assert answer["hint"].startswith("unset HF_HUB_OFFLINE, or `hf download lab/uni` where there is a network (if")


def test_a_hub_out_of_reach_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    answer = ask([case("uni")], tmp_path, HF_ENDPOINT=address)["uni"]
    assert answer["message"].startswith(f"{address} cannot be reached (")
    assert answer["message"].endswith(f"and the weights of lab/uni are not in the cache {tmp_path / 'hub'}")
    assert answer["hint"].startswith("check the connection (if they are gated")
    assert answer["seconds"] < 3


def test_a_name_that_is_no_repository_is_refused_before_asking(stand_in: Hub, tmp_path: Path) -> None:
    names = ["a/b/c", "foo", "/foo", "foo/"]
    answers = ask([[name, name, [FILE], "main", None] for name in names], tmp_path, HF_ENDPOINT=stand_in.address)
    for name in names:
        assert answers[name]["message"] == f"'{name}' names no repository of the Hub"
        assert answers[name]["hint"] == "a repository reads owner/name, as in MahmoodLab/UNI"
    assert stand_in.asked == []


def test_a_token_that_cannot_be_sent_is_told_without_a_letter_of_it(stand_in: Hub, tmp_path: Path) -> None:
    odd = TOKEN + "\N{SNOWMAN}"
    answer = ask([case("uni", token=odd)], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]
    assert answer["message"] == (
        "the Hub cannot be asked: the Hugging Face token or an address has a character that is not ASCII"
    )
    assert answer["hint"] == ("`hf auth login` again, look at HF_TOKEN, HF_ENDPOINT and HTTPS_PROXY, or --weights FILE")


def test_a_proxy_that_is_none_is_told_without_its_password(tmp_path: Path) -> None:
    answer = ask([case("uni")], tmp_path, HTTPS_PROXY="foo://me:secret@proxy")["uni"]
    assert answer["message"] == (
        "the weights of lab/uni could not be downloaded: Unknown scheme for proxy URL URL('foo://proxy')"
    )
    assert answer["hint"] == "check HF_ENDPOINT and HTTPS_PROXY, or --weights FILE"


def test_a_hubs_address_is_told_without_its_user_and_password(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/silent"] = Repository(silent=True)
    address = stand_in.address.replace("://", "://me:secret@")
    answers = ask([case("silent")], tmp_path, HF_ENDPOINT=address, HF_HUB_ETAG_TIMEOUT="1")
    answers |= ask([case("gone")], tmp_path, HF_ENDPOINT="http://me:secret@127.0.0.1:9")
    assert answers["silent"]["message"].startswith(f"{stand_in.address} did not answer within 1 s")
    assert answers["gone"]["message"].startswith("http://127.0.0.1:9 cannot be reached (")
    assert "secret" not in json.dumps(answers)


def test_a_granted_token_opens_the_gate(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/uni"] = Repository(**GATED)
    path = ask([case("uni", token=TOKEN)], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    assert (tmp_path / path).read_bytes() == b"weights"


def test_a_file_once_fetched_is_found_without_asking_again(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/uni"] = Repository({"pytorch_model.bin": b"weights"})
    online = ask([case("uni")], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    asked = len(stand_in.asked)
    again = ask([case("uni"), case("uni", COMMIT)], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    offline = ask([case("uni"), case("uni", COMMIT)], tmp_path, HF_HUB_OFFLINE="1")["uni"]["path"]
    assert online == again == offline
    assert len(stand_in.asked) == asked


def test_a_copy_of_another_revision_will_do_where_it_is_all_there_is(stand_in: Hub, tmp_path: Path) -> None:
    """The owner edits a text, the revision changes, the weights do not; their checksum is what the recipe names."""
    stand_in.repositories["lab/uni"] = Repository({FILE: b"weights"})
    online = ask([case("uni")], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    assert ask([case("uni", "a" * 40)], tmp_path, HF_HUB_OFFLINE="1")["uni"]["path"] == online


def test_a_download_that_breaks_off_is_told_and_leaves_nothing_that_looks_whole(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/uni"] = Repository({FILE: bytes(1000)}, torn=True)
    answer = ask([case("uni")], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]
    assert answer["message"].startswith("the weights of lab/uni could not be downloaded: ")
    assert answer["hint"].startswith("try again")
    assert "path" not in ask([case("uni")], tmp_path, HF_HUB_OFFLINE="1")["uni"]
