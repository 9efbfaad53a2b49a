"""A stand-in of the Hugging Face Hub: repositories, revisions, gates and tokens, answered as the Hub answers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMIT = "c0ffee" + "0" * 34
TOKEN = "hf_" + "x" * 34
OTHER_TOKEN = "hf_" + "y" * 34
INVALID_TOKEN = "hf_" + "z" * 34
INVALID = "Invalid credentials in Authorization header"
Headers = dict[str, str]


@dataclass
class Repository:
    """What a repository holds, who may read it, and what is wrong with it."""

    files: dict[str, bytes] = field(default_factory=dict)
    granted: frozenset[str] | None = None  # None: open to all
    revisions: tuple[str, ...] = ("main", COMMIT)
    status: int = 200
    silent: bool = False
    torn: bool = False


class Hub(ThreadingHTTPServer):
    """Repositories by name, and the tokens that somebody holds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.repositories: dict[str, Repository] = {}
        self.tokens = {TOKEN, OTHER_TOKEN}
        self.asked: list[str] = []
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, token: str | None) -> tuple[int, Headers, bytes]:
        """Return status, headers and body."""
        owner, name, _, revision, file = path.strip("/").split("/", 4)
        repository = self.repositories.get(f"{owner}/{name}")
        if repository and repository.silent:
            self.closing.wait(30)
        refusal = self._refusal(repository, revision, file, token)
        if refusal or not repository:
            return *(refusal or (500, {})), b""
        body = repository.files[file]
        commit = COMMIT if revision == "main" else revision
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
        return 200, headers | ({"X-Torn": "yes"} if repository.torn else {}), body

    def _refusal(
        self, repository: Repository | None, revision: str, file: str, token: str | None
    ) -> tuple[int, Headers] | None:
        """Return what is wrong, in the order in which the Hub looks."""
        found = repository or Repository()
        gated = found.granted is not None and token not in found.granted
        wrong: tuple[tuple[bool, int, Headers], ...] = (
            (
                token not in {None, *self.tokens},
                401,
                {"X-Error-Message": "Invalid credentials in Authorization header"},
            ),
            (repository is None, 401 if token is None else 404, {"X-Error-Code": "RepoNotFound"}),
            (gated, 401 if token is None else 403, {"X-Error-Code": "GatedRepo"}),
            (found.status != 200, found.status, {}),
            (revision not in found.revisions, 404, {"X-Error-Code": "RevisionNotFound"}),
            (file not in found.files, 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}),
        )
        return next(((status, headers) for holds, status, headers in wrong if holds), None)


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._send()

    def do_GET(self) -> None:
        headers, body = self._send()
        self.wfile.write(body[: len(body) // 2] if "X-Torn" in headers else body)

    def _send(self) -> tuple[Headers, bytes]:
        bearer = self.headers.get("Authorization")
        self.server.asked.append(f"{self.command} {self.path}")
        status, headers, body = self.server.answer(self.path, bearer.removeprefix("Bearer ") if bearer else None)
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        return headers, body

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Say nothing."""


@contextmanager
def hub() -> Iterator[Hub]:
    """Serve a Hub without repositories."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def python(*arguments: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python with its own cache: the Hub's library reads its settings when it is imported. No token gets out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    own = {"HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "400"}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=kept | own | settings, check=False
    )
    for token in (TOKEN, OTHER_TOKEN, INVALID_TOKEN):
        assert token not in done.stdout + done.stderr
        assert not [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    return done
