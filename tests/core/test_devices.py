"""The compute device and the number of threads."""

import numpy as np
import pytest
import scipy.linalg
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from spacrd_core.devices import choose_device, copy_to_device, default_jobs, one_thread
from spacrd_core.errors import ConfigError


def threads() -> set[int]:
    """Return the numbers of threads that NumPy, SciPy and PyTorch may use for linear algebra."""
    return {pool["num_threads"] for pool in threadpool_info()} | {torch.get_num_threads()}


def test_one_thread_limits_every_library_and_is_undone_afterwards() -> None:
    scipy.linalg.lu(np.eye(2))
    with threadpool_limits(2):
        before = threads()
        with one_thread():
            assert threads() == {1}
        assert threads() == before


def test_the_limit_is_undone_after_an_error() -> None:
    before = threads()
    with pytest.raises(np.linalg.LinAlgError), one_thread():
        np.linalg.inv(np.zeros((2, 2)))
    assert threads() == before


@pytest.mark.parametrize("available", [False, True])
def test_an_apple_gpu_is_chosen_by_its_name_alone(monkeypatch: pytest.MonkeyPatch, available: bool) -> None:  # noqa: FBT001
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: available)
    assert choose_device("auto") == torch.device("cpu")
    if available:
        assert choose_device("mps") == torch.device("mps")
    else:
        with pytest.raises(ConfigError, match="'mps' was requested, but this machine has no Apple GPU"):
            choose_device("mps")


def test_one_process_has_a_gpu_to_itself() -> None:
    assert [default_jobs(torch.device(name)) for name in ("cuda", "cuda:1", "mps")] == [1, 1, 1]


def test_a_tensor_that_is_already_on_the_host_is_not_copied() -> None:
    values = torch.arange(3)
    assert copy_to_device(values, torch.device("cpu")) is values
