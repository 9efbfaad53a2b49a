"""Where to compute, and with how many threads."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from spacrd_core.devices import one_thread


def threads() -> set[int]:
    """How many threads the linear algebra of NumPy, SciPy and PyTorch may use."""
    return {pool["num_threads"] for pool in threadpool_info()} | {torch.get_num_threads()}


def test_one_thread_binds_every_library_and_lets_go_afterwards() -> None:
    scipy.linalg.lu(np.eye(2))
    with threadpool_limits(2):
        before = threads()
        with one_thread():
            assert threads() == {1}
        assert threads() == before


def test_threads_are_as_before_after_a_failure() -> None:
    before = threads()
    with pytest.raises(np.linalg.LinAlgError), one_thread():
        np.linalg.inv(np.zeros((2, 2)))
    assert threads() == before
