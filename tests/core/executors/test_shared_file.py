import pickle
from pathlib import Path

import numpy as np
from scipy import sparse

from spacrd_core.executors.shared_file import ALIGNMENT, SharedFile


def test_a_worker_gets_the_value_as_it_is(tmp_path: Path) -> None:
    counts = sparse.random(50, 30, density=0.1, format="csr", random_state=0)
    value = {"id": "S1", "counts": counts, "none": np.zeros(0), "odd": np.arange(3, dtype=np.uint8), "xy": np.eye(2)}
    file = SharedFile.write(value, tmp_path / "value")
    read = pickle.loads(pickle.dumps(file))("cpu")  # noqa: S301 - our own
    assert read["id"] == "S1"
    assert (read["counts"] != counts).nnz == 0
    assert all(np.array_equal(read[name], value[name]) for name in ("none", "odd", "xy"))


def test_what_a_worker_does_to_it_stays_there(tmp_path: Path) -> None:
    file = SharedFile.write(np.zeros(5), tmp_path / "value")
    first, second = file(), file()
    first[:] = 1
    assert not second.any()
    assert not file().any()


def test_arrays_are_aligned(tmp_path: Path) -> None:
    file = SharedFile.write([np.arange(3, dtype=np.uint8), np.arange(5.0)], tmp_path / "value")
    assert {start % ALIGNMENT for start, _ in file.parts} == {0}
    assert len(file.parts) == 3
