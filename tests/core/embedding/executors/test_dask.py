"""A Dask cluster leaves the same bytes as one process, also when its workers or its scheduler are killed."""

import os
import secrets
import signal
import subprocess
import sys

import pytest

pytest.importorskip("distributed", reason="the extra dask is not installed")

from collections.abc import Iterable, Iterator
from pathlib import Path

from core.embedding.conftest import NewStore, StoredEmbeddings
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
    wait_until_gone,
)

from spacrd_cli.interruption import INTERRUPTED
from spacrd_core.errors import ConfigError, PluginError, WorkerError
from spacrd_core.executors.dask import Dask

PATCHES = SECTIONS * SPOTS


@pytest.mark.slow  # tests/cli/test_executors.py has every step on a cluster that loses a worker
def test_a_cluster_that_loses_a_worker_leaves_the_same_bytes_as_one_process(
    new_store: NewStore, uninterrupted: StoredEmbeddings, capfd: pytest.CaptureFixture[str]
) -> None:
    store = new_store()
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
    file = tmp_path / "scheduler.json"
    scheduler_file = ["--scheduler-file", str(file)]
    scheduler = start(
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *scheduler_file
    )
    worker = start("distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", *scheduler_file)
    assert scheduler.stderr
    address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
    yield address, scheduler
    for process in (worker, scheduler):
        process.terminate()
        process.communicate()


@pytest.mark.slow  # tests/cli/test_executors.py has a cluster in CI
def test_when_the_scheduler_dies_the_same_command_resumes(
    cluster: tuple[str, subprocess.Popen[str]], new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store, (address, scheduler) = new_store(), cluster

    def kill(work: Iterable[None], description: str, total: float | None = None) -> Iterable[None]:
        for done, item in enumerate(work):
            if done == 5 * ROWS:
                scheduler.kill()
            yield item

    with pytest.raises(WorkerError, match="the Dask scheduler is gone") as caught:
        embed_all(store, executor=Dask(address), track=kill)
    assert caught.value.hint == "run the same command again"
    finished = shards_done(store)
    assert 4 <= finished < PATCHES // ROWS
    embed_all(store)
    assert embeddings(store) == uninterrupted


@pytest.mark.slow  # tests/cli/test_executors.py has a cluster in CI
def test_ctrl_c_ends_the_cluster_without_a_message_from_it(new_store: NewStore) -> None:
    store = new_store()
    run = start_embed(store, "--executor", "dask", "--workers", "2", "-q")
    until_shards_are_done(3, store, run)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the command and its workers
    _, stderr = run.communicate(timeout=30)
    assert run.returncode == 130
    assert [line for line in stderr.splitlines() if not line.startswith("warning: slides coarser")] == [INTERRUPTED]
    assert shards_done(store) >= 3
    wait_until_gone(run)


def test_an_address_without_a_scheduler_is_named(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import dask  # noqa: PLC0415 - known to be there by now

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(ConfigError, match="no Dask scheduler answers at 'tcp://127"),
    ):
        embed_all(new_store(), executor=Dask("tcp://127.0.0.1:1"))


def test_workers_of_this_machine_that_do_not_start_in_time_are_named(new_store: NewStore) -> None:
    import dask  # noqa: PLC0415 - known to be there by now

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1ms"}),
        pytest.raises(WorkerError, match=r"Dask workers cannot start on this machine: .*Timed out"),
    ):
        embed_all(new_store(), executor=Dask(workers=1))


def test_without_dask_the_hint_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PluginError, match="Dask is not installed") as caught:
        Dask()
    assert caught.value.hint == "pip install 'spacrd[dask]'"
