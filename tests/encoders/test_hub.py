"""Weights of the Hub: every obstacle has its sentence and its remedy. A stand-in of the Hub answers on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "hf_" + "x" * 34
FETCH = """
import json
from spacrd_core.errors import WeightsError
from spacrd_encoders._hub import fetch
try:
    print(json.dumps({"path": str(fetch("MahmoodLab/UNI", "pytorch_model.bin"))}))
except WeightsError as error:
    print(json.dumps({"message": str(error), "hint": error.hint}))
"""
# The Hub's library tries for 20 seconds before it gives up; here it does not wait between.
HURRY = "import time; time.sleep = lambda seconds: None"


class Hub(ThreadingHTTPServer):
    """Answers every request with one status and headers."""

    status = 200
    headers: tuple[tuple[str, str], ...] = ()
    body = b""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.send_response(self.server.status)
        for name, value in (*self.server.headers, ("Content-Length", str(len(self.server.body)))):
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(program: str, home: Path, **settings: str) -> dict[str, str]:
    """What a fresh Python with its own empty cache prints; the Hub's settings are read when its library is imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment = kept | {"HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1"} | settings
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("status", "code", "says", "advises"),
    [
        (401, "GatedRepo", "are gated, and no Hugging Face token was accepted (401)", "hf auth login"),
        (
            403,
            "GatedRepo",
            "are gated, and the account of the Hugging Face token is not on its list (403)",
            "request access",
        ),
        (
            401,
            "RepoNotFound",
            "repository MahmoodLab/UNI does not exist or is private",
            "look at https://huggingface.co",
        ),
        (403, "", "were refused to the Hugging Face token (403)", "a token that may read them"),
        (404, "EntryNotFound", "could not be downloaded", "look at https://huggingface.co"),
    ],
)
def test_what_the_hub_refuses_is_told_with_the_remedy(
    hub: Hub, tmp_path: Path, status: int, code: str, says: str, advises: str
) -> None:
    hub.status, hub.headers = status, (("X-Error-Code", code),) if code else ()
    answer = run(FETCH, tmp_path, HF_ENDPOINT=hub.address, HF_TOKEN=TOKEN)
    assert says in answer["message"]
    assert "MahmoodLab/UNI" in answer["message"]
    assert advises in answer["hint"]
    assert "or --weights FILE" in answer["hint"]


def test_a_token_that_is_none_is_told_from_a_missing_repository(hub: Hub, tmp_path: Path) -> None:
    hub.status, hub.headers = 401, (("X-Error-Message", "Invalid credentials in Authorization header"),)
    answer = run(FETCH, tmp_path, HF_ENDPOINT=hub.address, HF_TOKEN=TOKEN)
    assert "the Hugging Face token is not valid (401)" in answer["message"]


def test_offline_names_the_cache_that_lacks_the_weights(tmp_path: Path) -> None:
    answer = run(FETCH, tmp_path, HF_HUB_OFFLINE="1")
    assert f"are not in the cache {tmp_path / 'hub'}, and HF_HUB_OFFLINE forbids to download" in answer["message"]
    assert answer["hint"].startswith("unset HF_HUB_OFFLINE")


def test_a_hub_out_of_reach_is_named(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    answer = run(HURRY + FETCH, tmp_path, HF_ENDPOINT=address)
    assert f"{address} cannot be reached" in answer["message"]


def test_a_file_once_fetched_is_found_offline(hub: Hub, tmp_path: Path) -> None:
    hub.body = b"weights"
    hub.headers = (("X-Repo-Commit", "0" * 40), ("ETag", '"0123456789abcdef"'))
    online = run(FETCH, tmp_path, HF_ENDPOINT=hub.address)
    offline = run(FETCH, tmp_path, HF_HUB_OFFLINE="1")
    assert online == offline
    assert Path(online["path"]).read_bytes() == b"weights"


def test_uni_and_timm_say_the_same_sentences(tmp_path: Path) -> None:
    program = """
import json, torch
from spacrd_core.errors import WeightsError
from spacrd_core.plugins import load_plugins
encoders, found = load_plugins().encoders, {}
for name in ("uni", "timm:test_vit"):
    try:
        encoders.create(name).embed(torch.zeros((1, 3, 160, 160), dtype=torch.uint8))
    except WeightsError as error:
        found[name] = str(error)
print(json.dumps(found))
"""
    answer = run(program, tmp_path, HF_HUB_OFFLINE="1")
    assert answer["uni"].startswith("the weights of MahmoodLab/UNI are not in the cache")
    assert answer["timm:test_vit"].startswith("the weights of timm/test_vit.r160_in1k are not in the cache")
