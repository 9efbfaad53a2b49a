"""Weights from the Hub: every failure has its own message and hint. A local server takes the place of the Hub."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from stand_ins.hub import COMMIT, INVALID_TOKEN, OTHER_TOKEN, TOKEN, Hub, Repository, hub, python

# Fetches files one after the other, and prints for each the path, or the message and hint, and the seconds.
FETCH = """
import json, os, sys, time
from spacrd_core.errors import WeightsError
from spacrd_encoders.backbone.hub import fetch
for name, repo, files, revision, token in json.loads(sys.argv[1]):
    os.environ.pop("HF_TOKEN", None)
    os.environ.update({"HF_TOKEN": token} if token else {})
    start = time.perf_counter()
    try:
        result = {"path": str(fetch(repo, files, revision=revision, or_cached=("main",)))}
    except WeightsError as error:
        result = {"message": str(error), "hint": error.hint}
    print(json.dumps({"name": name, "seconds": time.perf_counter() - start} | result))
"""
FILE = "model.safetensors"
GATED: dict[str, Any] = {"files": {FILE: b"weights"}, "granted": frozenset({TOKEN})}
Results = dict[str, dict[str, Any]]


class Failure(NamedTuple):
    """A repository that cannot be used, and phrases of the error: {hub}, {cache} and {page} are filled in."""

    message: str
    hint: tuple[str, ...]
    repository: Repository | None = None
    revision: str = "main"
    token: str | None = None


FAILURES = {
    "no-token": Failure(
        "gated, and there is no Hugging Face token (401)",
        ("request access at {page}", "hf auth login", "HF_TOKEN"),
        Repository(**GATED),
    ),
    "bad-token": Failure(
        "the Hugging Face token is not valid (401)",
        ("hf auth login", "unset HF_TOKEN"),
        Repository(**GATED),
        token=INVALID_TOKEN,
    ),
    "not-granted": Failure(
        "gated, and the account of the Hugging Face token has no access (403)",
        ("request access at {page}", "wait for approval", "allow gated repositories"),
        Repository(**GATED),
        token=OTHER_TOKEN,
    ),
    "no-repository": Failure("does not exist or is private (404)", ("check {page}",), token=TOKEN),
    "no-repository-without-a-token": Failure(
        "does not exist or is private (401)", ("check {page}", "if it is private", "hf auth login")
    ),
    "no-revision": Failure(
        "no revision 'v9'", ("check {page}/commits",), Repository({FILE: b"weights"}), revision="v9"
    ),
    "no-file": Failure(
        "no file model.safetensors or pytorch_model.bin",
        ("check {page}/tree/main",),
        Repository({"README.md": b"soon"}),
    ),
    "too-busy": Failure("{hub} is not available at the moment (503)", ("try again later",), Repository(status=503)),
    "too-many-requests": Failure(
        "{hub} is not available at the moment (429)", ("try again later",), Repository(status=429)
    ),
    "forbidden": Failure(
        "the Hugging Face token has no read access (403)",
        ("token with read access",),
        Repository(status=403),
        token=TOKEN,
    ),
    "no-response": Failure(
        "{hub} did not respond within 1 s, and the cache {cache} has no copy",
        ("HF_HUB_ETAG_TIMEOUT", "gated", "request it at {page}"),
        Repository(silent=True),
    ),
}


def fetch_all(cases: list[list[Any]], home: Path, **settings: str) -> Results:
    process = python("-c", FETCH, json.dumps(cases), home=home, **settings)
    assert process.returncode == 0, process.stderr
    assert "Retrying" not in process.stderr
    return {result.pop("name"): result for result in map(json.loads, process.stdout.splitlines())}


def case(name: str, revision: str = "main", token: str | None = None) -> list[Any]:
    return [name, f"lab/{name}", [FILE, "pytorch_model.bin"], revision, token]


@pytest.fixture
def stand_in() -> Iterator[Hub]:
    with hub() as server:
        yield server


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results for all failing repositories, from one Python that waits one second for a response."""
    home = tmp_path_factory.mktemp("home")
    with hub() as server:
        server.repositories |= {f"lab/{name}": each.repository for name, each in FAILURES.items() if each.repository}
        cases = [case(name, failure.revision, failure.token) for name, failure in FAILURES.items()]
        results = fetch_all(cases, home, HF_ENDPOINT=server.address, HF_HUB_ETAG_TIMEOUT="1")
        return results | {"places": {"hub": server.address, "cache": str(home / "hub")}}


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_its_own_message_and_hint_within_seconds(failures: Results, name: str) -> None:
    places = failures["places"] | {"page": f"https://huggingface.co/lab/{name}"}
    assert FAILURES[name].message.format(**places) in failures[name]["message"]
    assert f"lab/{name}" in failures[name]["message"]
    for phrase in FAILURES[name].hint:
        assert phrase.format(**places) in failures[name]["hint"]
    assert failures[name]["hint"].endswith(", or --weights FILE")
    assert failures[name]["seconds"] < 3


def test_no_two_failures_have_the_same_message(failures: Results) -> None:
    messages = {failures[name]["message"].replace(f"lab/{name}", "").partition("(4")[0] for name in FAILURES}
    assert len(messages) >= len(FAILURES) - 2  # a missing repository and a busy Hub occur twice


def test_offline_the_error_names_the_cache_without_the_weights(tmp_path: Path) -> None:
    result = fetch_all([case("uni")], tmp_path, HF_HUB_OFFLINE="1")["uni"]
    assert result["message"] == (
        f"cannot download the weights from lab/uni: HF_HUB_OFFLINE is set, and the cache {tmp_path / 'hub'} has no copy"
    )
    for phrase in ("unset HF_HUB_OFFLINE", "hf download lab/uni", "gated", "--weights FILE"):
        assert phrase in result["hint"]


def test_an_unreachable_hub_is_reported_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    result = fetch_all([case("uni")], tmp_path, HF_ENDPOINT=address)["uni"]
    assert f"{address} cannot be reached (" in result["message"]
    assert f"the cache {tmp_path / 'hub'} has no copy" in result["message"]
    assert result["hint"].startswith("check the connection")
    assert result["seconds"] < 3


def test_an_invalid_repository_name_is_refused_before_any_request(stand_in: Hub, tmp_path: Path) -> None:
    names = ["a/b/c", "foo", "/foo", "foo/"]
    results = fetch_all([[name, name, [FILE], "main", None] for name in names], tmp_path, HF_ENDPOINT=stand_in.address)
    for name in names:
        assert f"'{name}' is not a repository name" in results[name]["message"]
        assert "owner/name" in results[name]["hint"]
    assert stand_in.requests == []


def test_a_token_that_cannot_be_sent_is_reported_without_the_token(stand_in: Hub, tmp_path: Path) -> None:
    odd = TOKEN + "\N{SNOWMAN}"
    result = fetch_all([case("uni", token=odd)], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]
    assert "lab/uni" in result["message"]
    assert "non-ASCII character" in result["message"]
    for phrase in ("hf auth login", "HF_TOKEN", "HF_ENDPOINT", "HTTPS_PROXY", "--weights FILE"):
        assert phrase in result["hint"]


def test_an_invalid_proxy_is_reported_without_its_password(tmp_path: Path) -> None:
    result = fetch_all([case("uni")], tmp_path, HTTPS_PROXY="foo://me:secret@proxy")["uni"]
    assert result["message"] == (
        "cannot download the weights from lab/uni: Unknown scheme for proxy URL URL('foo://proxy')"
    )
    assert result["hint"] == "check HF_ENDPOINT and HTTPS_PROXY, or --weights FILE"


def test_the_address_of_the_hub_is_reported_without_user_and_password(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/silent"] = Repository(silent=True)
    address = stand_in.address.replace("://", "://me:secret@")
    results = fetch_all([case("silent")], tmp_path, HF_ENDPOINT=address, HF_HUB_ETAG_TIMEOUT="1")
    results |= fetch_all([case("gone")], tmp_path, HF_ENDPOINT="http://me:secret@127.0.0.1:9")
    assert results["silent"]["message"].count(f"{stand_in.address} did not respond within 1 s") == 1
    assert results["gone"]["message"].count("http://127.0.0.1:9 cannot be reached (") == 1
    assert "secret" not in json.dumps(results)


def test_a_granted_token_gives_access_to_gated_weights(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/uni"] = Repository(**GATED)
    path = fetch_all([case("uni", token=TOKEN)], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    assert (tmp_path / path).read_bytes() == b"weights"


def test_a_cached_file_needs_no_request(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/uni"] = Repository({"pytorch_model.bin": b"weights"})
    online = fetch_all([case("uni")], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    before = len(stand_in.requests)
    again = fetch_all([case("uni"), case("uni", COMMIT)], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    offline = fetch_all([case("uni"), case("uni", COMMIT)], tmp_path, HF_HUB_OFFLINE="1")["uni"]["path"]
    assert online == again == offline
    assert len(stand_in.requests) == before


@pytest.mark.slow
def test_a_cached_copy_of_another_revision_is_accepted(stand_in: Hub, tmp_path: Path) -> None:
    """An edit of the README changes the revision but not the weights, whose checksum is in the recipe."""
    stand_in.repositories["lab/uni"] = Repository({FILE: b"weights"})
    online = fetch_all([case("uni")], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]["path"]
    assert fetch_all([case("uni", "a" * 40)], tmp_path, HF_HUB_OFFLINE="1")["uni"]["path"] == online


@pytest.mark.slow
def test_an_interrupted_download_is_reported_and_leaves_no_file(stand_in: Hub, tmp_path: Path) -> None:
    stand_in.repositories["lab/uni"] = Repository({FILE: bytes(1000)}, torn=True)
    result = fetch_all([case("uni")], tmp_path, HF_ENDPOINT=stand_in.address)["uni"]
    assert result["message"].startswith("cannot download the weights from lab/uni: ")
    assert result["hint"].startswith("try again")
    assert "path" not in fetch_all([case("uni")], tmp_path, HF_HUB_OFFLINE="1")["uni"]
