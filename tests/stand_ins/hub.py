"""A local server in place of the Hugging Face Hub, with repositories, revisions, gated access and tokens."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from stand_ins.uploads import handle

COMMIT = "c0ffee" + "0" * 34
TOKEN = "hf_" + "x" * 34
OTHER_TOKEN = "hf_" + "y" * 34
INVALID_TOKEN = "hf_" + "z" * 34
Headers = dict[str, str]


@dataclass
class Repository:
    """The files of a repository, its access, and its faults."""

    files: dict[str, bytes] = field(default_factory=dict)
    granted: frozenset[str] | None = None  # None: public
    revisions: tuple[str, ...] = ("main", COMMIT)
    status: int = 200
    silent: bool = False
    torn: bool = False
    private: bool = False
    full: bool = False  # rejects large files
    kind: str = "model"
    heads: dict[str, str] = field(default_factory=dict)  # branches of pushes; history has the files by commit
    history: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Return the commit of a revision, and its files."""
        commit = self.heads.get(revision, revision)
        if commit in self.history:
            return commit, self.history[commit]
        return (COMMIT if revision == "main" else revision, self.files) if revision in self.revisions else None

    def commit(self, branch: str, added: dict[str, bytes]) -> str:
        """Add files to a branch, and return the commit."""
        _, before = self.at(branch) or ("", {})
        commit = hashlib.sha1(f"{branch} {len(self.history)}".encode()).hexdigest()  # noqa: S324 - git's length
        self.heads[branch], self.history[commit] = commit, before | added
        return commit


class Hub(ThreadingHTTPServer):
    """The server: repositories by name, and the valid tokens."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RequestHandler)
        self.repositories: dict[str, Repository] = {}
        self.tokens = {TOKEN, OTHER_TOKEN}
        self.owners = {"lab": {TOKEN}}
        self.stored: dict[str, bytes] = {}
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close the connection before the response."""
        if not isinstance(sys.exception(), BrokenPipeError):
            super().handle_error(request, client_address)

    def make(self, repo: str, *, private: bool) -> None:
        """Create an empty repository with a first commit, as the Hub does."""
        self.repositories[repo] = Repository(private=private, revisions=())
        self.repositories[repo].commit("main", {".gitattributes": b""})

    def writable(self, repo: str, token: str | None) -> bool:
        """Return whether a token may write to a repository, or create it."""
        return token in self.owners.get(repo.partition("/")[0], set())

    def hides(self, repo: str, token: str | None) -> bool:
        """Return whether a repository is hidden from a token."""
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
        """Return the first failed check, in the order of the Hub."""
        checked = repository or Repository()
        gated = checked.granted is not None and token not in checked.granted
        checks: tuple[tuple[bool, int, Headers], ...] = (
            (
                token not in {None, *self.tokens},
                401,
                {"X-Error-Message": "Invalid credentials in Authorization header"},
            ),
            (repository is None, 401 if token is None else 404, {"X-Error-Code": "RepoNotFound"}),
            (gated, 401 if token is None else 403, {"X-Error-Code": "GatedRepo"}),
            (checked.status != 200, checked.status, {}),
            (checked.at(revision) is None, 404, {"X-Error-Code": "RevisionNotFound"}),
            (
                file not in (checked.at(revision) or ("", {}))[1],
                404,
                {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT},
            ),
        )
        return next(((status, headers) for failed, status, headers in checks if failed), None)


class RequestHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._send()

    def do_GET(self) -> None:
        headers, body = self._send()
        self.wfile.write(body[: len(body) // 2] if "X-Torn" in headers else body)

    do_POST = do_PUT = do_GET  # noqa: N815 - names of the standard library

    def _send(self) -> tuple[Headers, bytes]:
        bearer = self.headers.get("Authorization")
        self.server.requests.append(f"{self.command} {self.path}")
        token = bearer.removeprefix("Bearer ") if bearer else None
        request_body = self._body()
        status, headers, body = self.server.answer(self.command, self.path, token, request_body)
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

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name of the standard library
        """Log nothing."""


@contextmanager
def hub() -> Iterator[Hub]:
    """Serve a Hub without repositories inside the block."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def python(*arguments: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python with its own cache and settings, which the Hub library reads on import; check that no token leaks."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    hub_settings = {"HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "400"}
    hub_settings |= {"HF_HUB_DISABLE_XET": "1"}  # the server has only the older protocol for large files
    process = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=environment | hub_settings | settings,
        check=False,
    )
    for token in (TOKEN, OTHER_TOKEN, INVALID_TOKEN):
        assert token not in process.stdout + process.stderr
        assert not [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    return process
