"""Work in this process leaves the same bytes whatever the number of threads and of streams."""

from threading import get_ident

import pytest
import torch
from core.embedding.conftest import NewStore, StoredEmbeddings
from small_shards import SECTIONS, SPOTS, embed_all, embeddings

from spacrd_core.executors import resources
from spacrd_core.executors.serial import Serial, SerialExecutor


@pytest.mark.slow  # tests/same has it in CI
def test_the_number_of_threads_does_not_matter(new_store: NewStore, uninterrupted: StoredEmbeddings) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        store = new_store()
        embed_all(store)
    finally:
        torch.set_num_threads(threads)
    assert embeddings(store) == uninterrupted


@pytest.mark.slow
def test_two_streams_as_on_cuda_leave_the_same_bytes(
    new_store: NewStore, uninterrupted: StoredEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store()
    monkeypatch.setattr(resources, "streams", lambda _: 2)
    report = embed_all(store, executor=Serial())
    assert report.patches == SECTIONS * SPOTS
    assert embeddings(store) == uninterrupted


def test_a_serial_executor_runs_a_call_in_the_thread_that_submits_it() -> None:
    future = SerialExecutor().submit(get_ident)
    assert future.done()
    assert future.result() == get_ident()


def test_the_future_of_a_serial_executor_raises_the_error_of_its_call() -> None:
    future = SerialExecutor().submit(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        future.result()


def test_an_interrupt_is_not_kept_in_a_future() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SerialExecutor().submit(interrupt)
