"""A command that ends before its work does: nothing finished is lost, and a second run leaves the same bytes."""

from __future__ import annotations

import os
import secrets
import signal
from typing import TYPE_CHECKING

import pytest
from small_shards import ROWS, SECTIONS, SPOTS, embed_all, embeddings, shards_done, start_embed, until_shards_are_done

if TYPE_CHECKING:
    from conftest import Copy, Left

SHARDS = SECTIONS * SPOTS // ROWS
WAYS = pytest.mark.parametrize("ways", [[], ["--executor", "processes", "--workers", "2"]], ids=["serial", "processes"])


@WAYS
def test_when_all_is_killed_a_second_run_finishes_the_rest(ways: list[str], copy: Copy, uninterrupted: Left) -> None:
    store = copy()
    run = start_embed(store, *ways)
    until_shards_are_done(1 + secrets.randbelow(SHARDS - 5), store, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    kept = shards_done(store)
    report = embed_all(store)
    assert report.patches == (SHARDS - kept) * ROWS
    assert embeddings(store) == uninterrupted


def test_workers_of_a_killed_parent_end_and_what_they_have_in_hand_is_waited_for(
    copy: Copy, uninterrupted: Left
) -> None:
    store = copy()
    run = start_embed(store, "--executor", "processes", "--workers", "2")
    until_shards_are_done(3, store, run)
    os.kill(run.pid, signal.SIGKILL)
    embed_all(store)
    assert embeddings(store) == uninterrupted
    run.communicate(timeout=10)  # its pipes are closed when its last worker has ended


@WAYS
def test_ctrl_c_ends_all_and_keeps_finished_shards(ways: list[str], copy: Copy) -> None:
    store = copy()
    run = start_embed(store, *ways)
    until_shards_are_done(3, store, run)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the command and its workers
    _, told = run.communicate(timeout=20)
    assert run.returncode == 130
    assert told.splitlines()[-1] == "interrupted; finished work is kept"
    assert "Traceback" not in told
    assert shards_done(store) >= 3
