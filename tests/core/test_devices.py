"""The compute device and the number of threads."""

import numpy as np
import pytest
import scipy.linalg
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from spacrd_core.devices import one_thread


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
