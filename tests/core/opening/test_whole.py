"""Lists of numbers that have lost chunks are told from whole ones, and chunks compressed twice from others."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from zarr.codecs import GzipCodec

from spacrd_core.opening.whole import compressions, require_whole


def written(folder: Path, length: int = 1000, **options: Any) -> Any:
    group = zarr.open_group(folder, mode="w", zarr_format=options.pop("zarr_format", 3))
    array = group.create_array("x", shape=(length,), chunks=(100,), dtype="i4", **options)
    array[:] = np.arange(length) if length % 100 == 1 else np.arange(length) + 1
    return array


@pytest.mark.parametrize("options", [{}, {"shards": (500,)}, {"zarr_format": 2}])
def test_an_array_of_zarr_is_whole_until_a_file_of_it_is_gone(tmp_path: Path, options: dict[str, Any]) -> None:
    array = written(tmp_path, **options)
    require_whole(array)
    next(file for file in (tmp_path / "x").rglob("*") if file.is_file() and file.name == "1").unlink()
    with pytest.raises(ValueError, match=r"x has \d of its 10 chunks: the others are lost"):
        require_whole(array)


def test_a_last_chunk_of_a_single_zero_is_not_written_and_not_missed(tmp_path: Path) -> None:
    array = written(tmp_path, 101)
    array[100] = 0
    require_whole(array)
    array[0:100] = 0
    with pytest.raises(ValueError, match="x has 0 of its 1 chunks"):
        require_whole(array)


def test_hdf5_knows_its_chunks_too() -> None:
    with h5py.File(io.BytesIO(), "w") as file:
        require_whole(file.create_dataset("contiguous", data=np.arange(10)))
        require_whole(file.create_dataset("empty", shape=(0,), maxshape=(None,), chunks=(10,), dtype="i4"))
        require_whole(file.create_dataset("x", data=np.arange(10), chunks=(3,)))
        with pytest.raises(ValueError, match="y has 0 of its 10 chunks"):
            require_whole(file.create_dataset("y", shape=(1000,), chunks=(100,), dtype="i4"))


def test_compressions_are_counted(tmp_path: Path) -> None:
    gzip = GzipCodec()
    assert compressions(written(tmp_path)) == 1
    assert compressions(written(tmp_path, zarr_format=2)) == 1
    assert compressions(written(tmp_path, compressors=[gzip, gzip])) == 2
    with h5py.File(io.BytesIO(), "w") as file:
        assert compressions(file.create_dataset("x", data=np.arange(9), compression="gzip", shuffle=True)) == 1
        assert compressions(file.create_dataset("y", data=np.arange(9), chunks=(3,))) == 0
