"""Chunks read directly from shards equal those that zarr reads."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec

from spacrd_core.errors import CorruptStore
from spacrd_core.images.raster import ArrayImage
from spacrd_core.slide.chunks import Chunks
from spacrd_core.slide.pyramid import Level, Pyramid, write_pyramid
from spacrd_core.slide.shards import Shards

NUMBERS = np.random.default_rng(0)
PIXELS = NUMBERS.integers(0, 255, (3, 90, 140), dtype=np.uint8)


def write(folder: Path, **choices: Any) -> Any:
    """Write an image of 3 x 4 chunks in 2 x 2 shards; the last column of shards is background."""
    layout: dict[str, Any] = {"chunks": (3, 32, 32), "shards": (3, 64, 64), "dtype": "uint8", "fill_value": 255}
    array = zarr.create_array(folder, shape=(3, 90, 200), zarr_format=3, **{**layout, **choices})
    array[:, :, :140] = PIXELS.astype(array.dtype)
    array[:, 32:64, 32:64] = 255  # a chunk of background among others
    return zarr.open_array(folder, mode="r")


def assert_equal_to_zarr(array: Any) -> None:
    whole = np.asarray(array[:])
    chunks = Chunks(Level(array, 1.0))
    for row, column in product(range(3), range(7)):
        expected = whole[:, row * 32 : row * 32 + 32, column * 32 : column * 32 + 32]
        assert np.array_equal(chunks.read((row, column)), expected)


def test_chunks_equal_those_that_zarr_reads(tmp_path: Path) -> None:
    array = write(tmp_path)
    assert Shards.from_array(array)
    assert len(list((tmp_path / "c").rglob("*/*/*"))) == 6, "shards of background are not stored"
    assert_equal_to_zarr(array)


@pytest.mark.parametrize(
    "other",
    [
        {"shards": None},
        {"compressors": None},
        {"compressors": BloscCodec()},
        {"chunks": (1, 32, 32)},
        {"dtype": "uint16"},
    ],
    ids=["no shards", "not packed", "blosc", "channel by channel", "16 bits"],
)
def test_arrays_of_another_layout_are_read_by_zarr(tmp_path: Path, other: dict[str, Any]) -> None:
    array = write(tmp_path, **other)
    assert Shards.from_array(array) is None
    assert_equal_to_zarr(array)


def test_an_array_in_memory_has_no_shards() -> None:
    assert Shards.from_array(PIXELS) is None
    chunks = Chunks(Level(PIXELS, 1.0))
    assert chunks.side == 512
    assert np.array_equal(chunks.read((0, 0)), PIXELS)


def test_every_level_of_a_stored_slide_is_read_directly_from_its_shards(tmp_path: Path) -> None:
    write_pyramid(ArrayImage(np.moveaxis(PIXELS, 0, -1).repeat(12, axis=0)), tmp_path, um_per_px=1.0, mpp=0.5)
    assert all(Shards.from_array(level.array) for level in Pyramid.open(tmp_path).levels)


@pytest.mark.parametrize("damage", ["cut short", "scrambled", "other length", "emptied"])
def test_a_damaged_shard_is_reported_by_name_with_a_remedy(tmp_path: Path, damage: str) -> None:
    array = write(tmp_path)
    path = tmp_path / "c" / "0" / "0" / "0"
    whole = path.read_bytes()
    where = np.frombuffer(whole[-68:-4], dtype="<u8").reshape(4, 2).copy()
    where[0, 1] -= 5
    made: dict[str, bytes] = {
        "cut short": whole[: len(whole) // 2],
        "scrambled": bytes(reversed(whole[:-68])) + whole[-68:],
        "other length": whole[:-68] + where.tobytes() + whole[-4:],
        "emptied": b"",
    }
    path.write_bytes(made[damage])
    with pytest.raises(CorruptStore, match=re.escape(f"{path} cannot be read: ")) as caught:
        Shards.from_array(array).chunk(0, 0)  # type: ignore[union-attr]
    assert "ingest the section again" in caught.value.hint


def test_a_chunk_of_another_size_is_refused(tmp_path: Path) -> None:
    array = write(tmp_path / "a")
    small = write(tmp_path / "b", chunks=(3, 16, 16))
    path, other = (folder / "c" / "0" / "0" / "0" for folder in (tmp_path / "a", tmp_path / "b"))
    begin, length = np.frombuffer(other.read_bytes()[-260:-4], dtype="<u8")[:2].tolist()
    chunk = other.read_bytes()[begin : begin + length]
    where = np.array([[0, len(chunk)]] * 4, dtype="<u8").tobytes()
    path.write_bytes(chunk + where + b"\0\0\0\0")
    assert small.chunks == (3, 16, 16)
    with pytest.raises(CorruptStore, match="768 bytes, expected 3072"):
        Shards.from_array(array).chunk(0, 0)  # type: ignore[union-attr]
