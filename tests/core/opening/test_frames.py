"""A chunk of zarr that unpacks to more than a chunk of its array is refused before it is unpacked."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import zarr

from spacrd_core.opening.declared import require_plausible

MIB = 2**20


def written(folder: Path, **options: Any) -> tuple[Any, Path]:
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    array = group.create_array("x", shape=(1000,), chunks=(1000,), dtype="i4", **options)
    array[:] = np.arange(1000)
    return group, folder / "x" / "c" / "0"


def test_a_chunk_of_its_size_passes(tmp_path: Path) -> None:
    group, _ = written(tmp_path)
    require_plausible(group)


@pytest.mark.parametrize("length", [100_000, MIB, 2**24])
def test_a_chunk_that_states_more_is_refused(tmp_path: Path, length: int) -> None:
    group, chunk = written(tmp_path)
    chunk.write_bytes(imagecodecs.zstd_encode(bytes(length)))
    with pytest.raises(ValueError, match=rf"x: its chunk 0 unpacks to {length:,} bytes or more, at most 69,536"):
        require_plausible(group)


def test_a_chunk_that_states_nothing_is_tried_within_the_bound(tmp_path: Path) -> None:
    group, chunk = written(tmp_path)
    chunk.write_bytes(without_size(bytes(imagecodecs.zstd_encode(bytes(MIB)))))
    with pytest.raises(ValueError, match="x: its chunk 0 unpacks to"):
        require_plausible(group)
    chunk.write_bytes(without_size(bytes(imagecodecs.zstd_encode(np.arange(1000, dtype="<i4").tobytes()))))
    require_plausible(group)


def without_size(frame: bytes) -> bytes:
    """Return a frame of zstd that does not state its size, with a window of 8 MiB instead."""
    facts = frame[4]
    is_single, length = bool(facts & 0x20), (1, 2, 4, 8)[facts >> 6] if facts & 0x20 else (0, 2, 4, 8)[facts >> 6]
    rest = frame[5 + (not is_single) + length :]
    return frame[:4] + bytes([facts & 0x1C, 13 << 3]) + rest


def test_text_may_be_longer_than_its_references(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path, mode="w", zarr_format=3)
    names = group.create_array("x", shape=(100,), chunks=(100,), dtype="str")
    names[:] = np.array(["A" * 5000] * 100, dtype=object)
    require_plausible(group)
