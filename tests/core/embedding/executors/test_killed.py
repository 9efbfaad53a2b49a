"""A command that ends before its work does: nothing finished is lost, and a second run leaves the same bytes."""

import os
import secrets
import signal

import pytest
from core.embedding.conftest import NewStore, StoredEmbeddings
from small_shards import (
    ROWS,
    SECTIONS,
    SPOTS,
    embed_all,
    embeddings,
    shards_done,
    start_embed,
    until_shards_are_done,
    wait_until_gone,
)

from spacrd_cli.interruption import INTERRUPTED

SHARDS = SECTIONS * SPOTS // ROWS
PROCESSES = pytest.param(["--executor", "processes", "--workers", "2"], marks=pytest.mark.slow)
EXECUTORS = pytest.mark.parametrize("options", [[], PROCESSES], ids=["serial", "processes"])


@pytest.mark.slow
@EXECUTORS
def test_when_all_is_killed_a_second_run_finishes_the_rest(
    options: list[str], new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    run = start_embed(store, *options)
    until_shards_are_done(1 + secrets.randbelow(SHARDS - 5), store, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    finished = shards_done(store)
    report = embed_all(store)
    assert report.patches == (SHARDS - finished) * ROWS
    assert embeddings(store) == uninterrupted


@pytest.mark.slow
def test_workers_of_a_killed_parent_end_and_their_shards_are_done_again(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    run = start_embed(store, "--executor", "processes", "--workers", "2")
    until_shards_are_done(3, store, run)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(10)  # until the system has released the locks of the parent; its workers may still be alive
    embed_all(store)
    assert embeddings(store) == uninterrupted
    run.communicate(timeout=10)  # its pipes are closed when its last worker has ended
    wait_until_gone(run)


@pytest.mark.slow  # tests/faults has interruptions in CI
@EXECUTORS
def test_ctrl_c_ends_all_and_keeps_finished_shards(options: list[str], new_store: NewStore) -> None:
    store = new_store()
    run = start_embed(store, *options)
    until_shards_are_done(1, store, run)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the command and its workers
    _, stderr = run.communicate(timeout=20)
    assert run.returncode == 130
    assert stderr.splitlines()[-1] == INTERRUPTED
    assert "Traceback" not in stderr
    assert shards_done(store) >= 1
    wait_until_gone(run)
