"""Shared by the tests of embedding in many processes: small shards, and a small network that takes a while."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from multiprocessing import active_children
from typing import Any

from spacrd_core.embedding.embed import Report, embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.files import tree_sha256
from spacrd_core.store.store import SpotStore

ROWS, SPOTS, SECTIONS = 16, 144, 2  # per shard, section, store
NETWORK, OPTIONS = "timm:test_vit", {"pretrained": False}
COMMAND = f"""
import signal
from spacrd_cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # the children of a background job would ignore it
from spacrd_core.embedding import staging
staging.SHARD_ROWS = staging.CHUNK_ROWS = {ROWS}
main()
"""


def embed_all(store: SpotStore, **choices: Any) -> Report:
    """Embed every section by the small network, in this process."""
    return embed(store, NETWORK, options=OPTIONS, settings=Settings(device="cpu", batch_size=8), **choices)


def start_embed(store: SpotStore, *choices: str) -> subprocess.Popen[str]:
    """Start ``spacrd embed`` as a user does, at the head of a group of processes of its own."""
    settings = ["--encoder", NETWORK, "--set", "encoder.pretrained=false", "--device", "cpu", "--batch-size", "8"]
    line = [sys.executable, "-c", COMMAND, "embed", str(store.path), *settings, *choices]
    pipe = subprocess.PIPE
    return subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def embeddings(store: SpotStore) -> tuple[str, dict[str, list[str]]]:
    """Checksums of all embeddings in a store: of the files, hidden or not, and those in the manifest."""
    records = {key: [record.sha256 for record in entry.embeddings.values()] for key, entry in store.entries.items()}
    return tree_sha256(store.path / "embeddings"), records


def shards_done(store: SpotStore) -> int:
    """Number of shards that are done by the ledgers, published or not."""
    return len(list((store.path / "embeddings").glob("*/*/done/c/*")))


def until_shards_are_done(count: int, store: SpotStore, run: subprocess.Popen[str]) -> None:
    """Wait for a run that is in progress."""
    while shards_done(store) < count:
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)


def wait_until_gone(run: subprocess.Popen[str], seconds: float = 10) -> None:
    """Wait until no process of a run's group is left; fail if one is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"a process of the group {run.pid} is left")


class KillAt:
    """A track that kills one of this process's workers when a number of patches are done."""

    def __init__(self, moment: int) -> None:
        self.moment = moment
        self.killed: int | None = None

    def __call__(self, work: Iterable[Any], description: str, total: float | None = None) -> Iterator[Any]:
        for done, item in enumerate(work, start=1):
            if done == self.moment:
                self.killed = active_children()[0].pid
                os.kill(self.killed or 0, signal.SIGKILL)
            yield item
