"""Whoever does the work, and whoever is killed at it: the same bytes."""

from __future__ import annotations

import os
import secrets
import signal
from multiprocessing import active_children
from typing import TYPE_CHECKING, cast

import pytest
import torch
from small_shards import SECTIONS, SPOTS, KillAt, embed_all, embeddings

from spacrd_core.embedding import staging
from spacrd_core.embedding.executors import processes as process_executor
from spacrd_core.embedding.executors import serial as executors
from spacrd_core.embedding.executors.processes import Processes, Worker
from spacrd_core.embedding.executors.serial import Serial, devices_of, lanes_of, threads_for, usual_workers
from spacrd_core.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conftest import Copy, Left

    from spacrd_core.embedding.executors.serial import Executor
    from spacrd_core.embedding.shard_task import ShardTask


def test_the_number_of_threads_does_not_matter(copy: Copy, uninterrupted: Left) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        store = copy()
        embed_all(store)
    finally:
        torch.set_num_threads(before)
    assert embeddings(store) == uninterrupted


def test_processes_leave_the_same_bytes_as_one_and_are_gone_afterwards(copy: Copy, uninterrupted: Left) -> None:
    store = copy()
    report = embed_all(store, executor=Processes(2))
    assert embeddings(store) == uninterrupted
    assert [item.patches for item in report.sections] == [SPOTS] * SECTIONS
    assert set(report.seconds) >= {"read", "encode", "write"}
    assert active_children() == []


@pytest.mark.parametrize("executor", [Serial(), Processes(1)], ids=["serial", "processes"])
def test_two_shards_at_a_time_as_on_cuda_leave_the_same_bytes(
    executor: Executor, copy: Copy, uninterrupted: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = copy()
    for module in (executors, process_executor):
        monkeypatch.setattr(module, "lanes_of", lambda _: 2)
    report = embed_all(store, executor=executor)
    assert report.patches == SECTIONS * SPOTS
    assert embeddings(store) == uninterrupted


def test_a_killed_worker_is_replaced_and_its_shard_done_again(copy: Copy, uninterrupted: Left) -> None:
    store = copy()
    kill = KillAt(1 + secrets.randbelow(SECTIONS * SPOTS - 1))
    embed_all(store, executor=Processes(2), track=kill)
    assert kill.killed, f"at {kill.moment} patches"
    assert embeddings(store) == uninterrupted


def test_a_shard_that_ends_every_worker_is_named(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    store = copy()
    monkeypatch.setattr(staging, "SHARD_ROWS", SPOTS)
    monkeypatch.setattr(staging, "CHUNK_ROWS", SPOTS)

    def kill(work: Iterable[None], description: str, total: float | None = None) -> Iterator[None]:
        for item in work:
            for worker in active_children():
                worker.kill()
            yield item

    with pytest.raises(EncoderError) as caught:
        embed_all(store, executor=Processes(1), track=kill, sections=["S1"])
    assert str(caught.value) == (
        f"spots 1 to {SPOTS} of section 'S1' failed again and again: its worker was ended by SIGKILL"
    )
    assert caught.value.hint == "if memory was short: fewer --workers"


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows has no signal masks")
def test_ctrl_c_does_not_end_a_worker_that_is_still_starting() -> None:
    worker = Worker.start("cpu", 1, 1)
    os.kill(worker.process.pid, signal.SIGINT)
    assert worker.pipe.poll(60)
    assert worker.hear() == 0
    worker.end()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_dead_worker_of_a_gpu_may_have_had_too_large_batches() -> None:
    worker = Worker.start("cuda:0", threads=1, lanes=1)
    worker.hand.append(cast("ShardTask", None))
    worker.process.kill()
    worker.process.join()
    (outcome,) = worker.obituary()
    assert outcome.error
    assert outcome.error.hint == "if memory was short: fewer --workers, a smaller --batch-size"


def test_a_cpu_has_one_worker_for_four_cores_and_the_threads_are_shared_out() -> None:
    assert usual_workers("cpu") == max(1, (os.cpu_count() or 1) // 4)
    assert devices_of("cpu") == ["cpu"]
    assert lanes_of("cpu") == 1
    assert threads_for(1000) == 1
    assert threads_for(1) == torch.get_num_threads()
