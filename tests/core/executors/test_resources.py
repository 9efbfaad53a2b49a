import os

import pytest
import torch

from spacrd_core.executors.resources import default_workers, devices, streams, threads_per_worker


def test_a_cpu_has_one_worker_per_four_cores_and_one_stream() -> None:
    assert default_workers("cpu") == max(1, (os.cpu_count() or 1) // 4)
    assert devices("cpu") == ["cpu"]
    assert streams("cpu") == 1


def test_every_gpu_has_a_worker_and_two_streams_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert devices("cuda") == ["cuda:0", "cuda:1", "cuda:2"]
    assert devices("cuda:1") == ["cuda:1"]
    assert (default_workers("cuda"), default_workers("cuda:1")) == (3, 1)
    assert streams("cuda") == 2


def test_workers_share_the_threads_and_have_at_least_one() -> None:
    assert threads_per_worker(1) == torch.get_num_threads()
    assert threads_per_worker(1000) == 1


def test_an_apple_gpu_has_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert (devices("mps"), default_workers("mps"), streams("mps")) == (["mps"], 1, 1)
