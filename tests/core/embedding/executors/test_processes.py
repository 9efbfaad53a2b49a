"""Worker processes leave the same bytes as one process, also when they are killed."""

import multiprocessing
import os
import secrets
import signal
from collections.abc import Iterable, Iterator
from multiprocessing import active_children

import pytest
from core.embedding.conftest import NewStore, StoredEmbeddings
from small_shards import SECTIONS, SPOTS, KillAt, embed_all, embeddings, shards_done

from spacrd_core.embedding import staging
from spacrd_core.errors import EncoderError, WorkerError
from spacrd_core.executors import processes, resources
from spacrd_core.executors.processes import Processes, WorkerProcesses


@pytest.mark.slow
def test_processes_leave_the_same_bytes_as_one_and_are_gone_afterwards(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    report = embed_all(store, executor=Processes(2))
    assert embeddings(store) == uninterrupted
    assert [section.patches for section in report.sections] == [SPOTS] * SECTIONS
    assert set(report.seconds) >= {"read", "encode", "write"}
    assert active_children() == []


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_shard_done_again(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    kill = KillAt(1 + secrets.randbelow(SECTIONS * SPOTS - 1))
    embed_all(store, executor=Processes(2), track=kill)
    assert kill.killed, f"at {kill.moment} patches"
    assert embeddings(store) == uninterrupted
    assert active_children() == []


@pytest.mark.slow
def test_a_shard_that_ends_every_worker_is_named(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = new_store()
    monkeypatch.setattr(staging, "SHARD_ROWS", SPOTS)
    monkeypatch.setattr(staging, "CHUNK_ROWS", SPOTS)

    def kill(work: Iterable[None], description: str, total: float | None = None) -> Iterator[None]:
        for item in work:
            for worker in active_children():
                worker.kill()
            yield item

    with pytest.raises(EncoderError, match="failed repeatedly: its worker process was killed") as caught:
        embed_all(store, executor=Processes(1), track=kill, sections=["S1"])
    assert f"spots 1 to {SPOTS} of section 'S1'" in str(caught.value)
    assert caught.value.hint
    assert "--workers" in caught.value.hint


def exit_at_once(*_: object) -> None:
    os._exit(3)


@pytest.mark.slow
def test_workers_that_cannot_start_are_an_error_and_not_started_again_and_again(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store()
    monkeypatch.setattr(processes, "_start_worker", exit_at_once)
    with pytest.raises(WorkerError, match="a worker process cannot start: it exited with code") as caught:
        embed_all(store, executor=Processes(2))
    assert caught.value.hint
    assert "--executor serial" in caught.value.hint
    assert shards_done(store) == 0
    assert active_children() == []


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_ctrl_c_does_not_end_a_worker_that_is_still_starting(start: str) -> None:
    executor = WorkerProcesses(1, multiprocessing.get_context(start))
    future = executor.submit(os.getpid)
    (process,) = active_children()
    os.kill(process.pid or 0, signal.SIGINT)
    assert future.result(60) == process.pid
    executor.kill()
    assert active_children() == []
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_the_workers_share_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "devices", lambda _: ["cuda:0", "cuda:1"])
    with Processes(4).open("cpu", lambda _: None) as pool:
        devices = pool.executor._initargs[0]  # type: ignore[attr-defined]
        assert [devices.get() for _ in range(4)] == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
        assert pool.in_flight == 4
