"""What the tests of a GPU share. ``pytest -m gpu -s`` runs them in one command; without a CUDA device they are skipped.

A test with ``EITHER_DEVICE`` also runs on the CPU by default, so that its code is known to work.
"""

import pytest
import torch

EITHER_DEVICE = pytest.mark.parametrize("device_name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])


def present(name: str) -> torch.device:
    """Return a device, or skip the test on a machine without it."""
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    return torch.device(name)
