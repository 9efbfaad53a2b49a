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

from stand_ins.uploads import handle

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
    private: bool = False
    full: bool = False  # takes no large files
    kind: str = "model"
    heads: dict[str, str] = field(default_factory=dict)  # what was pushed: branches, and files by commit
    history: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Return the commit that a revision is, and its files."""
        commit = self.heads.get(revision, revision)
        if commit in self.history:
            return commit, self.history[commit]
        return (COMMIT if revision == "main" else revision, self.files) if revision in self.revisions else None

    def commit(self, branch: str, added: dict[str, bytes]) -> str:
        """Add files to a branch; return the commit."""
        _, before = self.at(branch) or ("", {})
        commit = hashlib.sha1(f"{branch} {len(self.history)}".encode()).hexdigest()  # noqa: S324 - git's length
        self.heads[branch], self.history[commit] = commit, before | added
        return commit


class Hub(ThreadingHTTPServer):
    """Repositories by name, and the tokens that somebody holds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.repositories: dict[str, Repository] = {}
        self.tokens = {TOKEN, OTHER_TOKEN}
        self.owners = {"lab": {TOKEN}}
        self.stored: dict[str, bytes] = {}
        self.messages: list[str] = []
        self.asked: list[str] = []
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever does not wait for the answer does no harm."""
        if not isinstance(sys.exception(), BrokenPipeError):
            super().handle_error(request, client_address)

    def make(self, repo: str, *, private: bool) -> None:
        """Make an empty repository, as the Hub does: with a first commit."""
        self.repositories[repo] = Repository(private=private, revisions=())
        self.repositories[repo].commit("main", {".gitattributes": b""})

    def writable(self, repo: str, token: str | None) -> bool:
        """Whether a token may write to a repository, or make it."""
        return token in self.owners.get(repo.partition("/")[0], set())

    def hides(self, repo: str, token: str | None) -> bool:
        """Whether a repository is not to be seen by a token."""
        return self.repositories[repo].private and not self.writable(repo, token)

    def answer(self, method: str, path: str, token: str | None, body: bytes) -> tuple[int, Headers, bytes]:
        """Return status, headers and body."""
        return handle(self, method, path, token, body) or self._file(path, token)

    def _file(self, path: str, token: str | None) -> tuple[int, Headers, bytes]:
        owner, name, _, revision, file = path.strip("/").split("/", 4)
        repository = self.repositories.get(f"{owner}/{name}")
        if repository and repository.silent:
            self.closing.wait(30)
        if repository and (repository.kind != "model" or self.hides(f"{owner}/{name}", token)):
            repository = None
        refusal = self._refusal(repository, revision, file, token)
        if refusal or not repository:
            return *(refusal or (500, {})), b""
        commit, files = repository.at(revision) or ("", {})
        body = files[file]
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
            (found.at(revision) is None, 404, {"X-Error-Code": "RevisionNotFound"}),
            (
                file not in (found.at(revision) or ("", {}))[1],
                404,
                {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT},
            ),
        )
        return next(((status, headers) for holds, status, headers in wrong if holds), None)


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._send()

    def do_GET(self) -> None:
        headers, body = self._send()
        self.wfile.write(body[: len(body) // 2] if "X-Torn" in headers else body)

    do_POST = do_PUT = do_GET  # noqa: N815 - the names in the standard library

    def _send(self) -> tuple[Headers, bytes]:
        bearer = self.headers.get("Authorization")
        self.server.asked.append(f"{self.command} {self.path}")
        token = bearer.removeprefix("Bearer ") if bearer else None
        given = self._body()
        status, headers, body = self.server.answer(self.command, self.path, token, given)
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        return headers, body

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Say nothing."""


@contextmanager
def hub() -> Iterator[Hub]:
    """Serve a Hub without repositories."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def python(*arguments: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python with its own cache: the Hub's library reads its settings when it is imported. No token gets out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    own = {"HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "400"}
    own |= {"HF_HUB_DISABLE_XET": "1"}  # the stand-in speaks the Hub's older protocol for large files
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=kept | own | settings, check=False
    )
    for token in (TOKEN, OTHER_TOKEN, INVALID_TOKEN):
        assert token not in done.stdout + done.stderr
        assert not [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    return done
