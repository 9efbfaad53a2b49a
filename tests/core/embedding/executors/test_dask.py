"""A Dask cluster leaves the same bytes as one process, also when its workers or its scheduler are killed."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("distributed", reason="the extra dask is not installed")

from small_shards import (
    ROWS,
    SECTIONS,
    SPOTS,
    KillAt,
    embed_all,
    embeddings,
    shards_done,
    start_embed,
    until_shards_are_done,
)

from spacrd_core.embedding.executors.dask import Dask
from spacrd_core.errors import ConfigError, PluginError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conftest import Copy, Left

PATCHES = SECTIONS * SPOTS


def test_a_cluster_that_loses_a_worker_leaves_the_same_bytes_as_one_process(
    copy: Copy, uninterrupted: Left, capfd: pytest.CaptureFixture[str]
) -> None:
    store = copy()
    kill = KillAt(1 + secrets.randbelow(PATCHES - 1))
    embed_all(store, executor=Dask(workers=2), track=kill)
    assert kill.killed, f"at {kill.moment} patches"
    assert embeddings(store) == uninterrupted
    assert capfd.readouterr().err == ""


def start(*line: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", *line], stderr=subprocess.PIPE, text=True)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a scheduler with one worker, and the scheduler's process."""
    told = tmp_path / "scheduler.json"
    found = ["--scheduler-file", str(told)]
    scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *found)
    worker = start("distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", *found)
    assert scheduler.stderr
    address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
    yield address, scheduler
    for process in (worker, scheduler):
        process.terminate()
        process.communicate()


def test_when_the_scheduler_dies_the_same_command_goes_on_where_it_stopped(
    cluster: tuple[str, subprocess.Popen[str]], copy: Copy, uninterrupted: Left
) -> None:
    store, (address, scheduler) = copy(), cluster

    def kill(work: Iterable[None], description: str, total: float | None = None) -> Iterable[None]:
        for done, item in enumerate(work):
            if done == 5 * ROWS:
                scheduler.kill()
            yield item

    with pytest.raises(StoreError, match=r"(?m)^the Dask scheduler is gone; finished shards are kept$") as caught:
        embed_all(store, executor=Dask(address), track=kill)
    assert caught.value.hint == "run the same command again"
    kept = shards_done(store)
    assert 4 <= kept < PATCHES // ROWS
    embed_all(store)
    assert embeddings(store) == uninterrupted


def test_ctrl_c_ends_the_cluster_without_a_word_from_it(copy: Copy) -> None:
    store = copy()
    run = start_embed(store, "--executor", "dask", "--workers", "2", "-q")
    until_shards_are_done(3, store, run)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the command and its workers
    _, told = run.communicate(timeout=30)
    assert (run.returncode, told) == (130, "interrupted; finished work is kept\n")
    assert shards_done(store) >= 3


def test_an_address_without_a_scheduler_is_named(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    import dask  # noqa: PLC0415 - known to be there by now

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(ConfigError, match=r"(?m)^no Dask scheduler answers at 'tcp://127\.0\.0\.1:1'$"),
    ):
        embed_all(copy(), executor=Dask("tcp://127.0.0.1:1"))


def test_without_dask_the_way_to_get_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PluginError, match=r"(?m)^Dask is not installed$") as caught:
        Dask()
    assert caught.value.hint == "pip install 'spacrd[dask]'"
