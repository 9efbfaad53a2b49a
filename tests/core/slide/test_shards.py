"""Chunks read directly from shards equal those that zarr reads."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from spacrd_core.errors import CorruptStore
from spacrd_core.images.jpeg import Jpeg
from spacrd_core.images.raster import ArrayImage
from spacrd_core.slide.chunks import Chunks
from spacrd_core.slide.compression import CHECKED_ZSTD
from spacrd_core.slide.jpeg_codec import JpegCodec
from spacrd_core.slide.pyramid import Level, Pyramid, write_pyramid
from spacrd_core.slide.shards import Shards

NUMBERS = np.random.default_rng(0)
PIXELS = NUMBERS.integers(0, 255, (3, 90, 140), dtype=np.uint8)
INDEX_BYTES = 68  # of 2 x 2 chunks, with a checksum
JPEG: dict[str, Any] = {"serializer": JpegCodec(Jpeg(90)), "compressors": Crc32cCodec()}
LAYOUTS: dict[str, dict[str, Any]] = {
    "before checksums": {"compressors": ZstdCodec()},
    "lossless": {"compressors": CHECKED_ZSTD},
    "JPEG": JPEG,
}


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
    for top, bottom, left, right in ((0, 90, 0, 200), (31, 33, 100, 101), (5, 60, 64, 200), (7, 7, 3, 9)):
        expected = np.moveaxis(whole[:, top:bottom, left:right], 0, -1)
        assert np.array_equal(chunks.level.read(top, bottom, left, right), expected)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_chunks_equal_those_that_zarr_reads(tmp_path: Path, layout: dict[str, Any]) -> None:
    array = write(tmp_path, **layout)
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
        {**JPEG, "compressors": None},
    ],
    ids=["no shards", "not packed", "blosc", "channel by channel", "16 bits", "JPEG without checksums"],
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


def assert_damage_is_named(array: Any, path: Path, reason: str = "") -> None:
    """Every way to read the first chunk names the file or its array, and the remedy."""
    level = Level(array, 1.0)
    with pytest.raises(CorruptStore, match=re.escape(f"{path} cannot be read: ") + reason) as direct:
        Chunks(level).read((0, 0))
    with pytest.raises(CorruptStore, match="cannot be read: ") as rectangle:
        level.read(0, 32, 0, 32)
    with pytest.raises((ValueError, RuntimeError, LookupError, OSError)):
        array[:, :32, :32]
    for caught in (direct, rectangle):
        assert "ingest the section again with --replace" in caught.value.hint


def damaged_index(whole: bytes) -> bytes:
    where = np.frombuffer(whole[-INDEX_BYTES:-4], dtype="<u8").reshape(4, 2).copy()
    where[0, 1] -= 5
    return whole[:-INDEX_BYTES] + where.tobytes() + whole[-4:]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("damage", ["cut short", "scrambled", "other length", "emptied"])
def test_a_damaged_shard_is_reported_by_name_with_a_remedy(tmp_path: Path, damage: str, layout: dict[str, Any]) -> None:
    array = write(tmp_path, **layout)
    path = tmp_path / "c" / "0" / "0" / "0"
    whole = path.read_bytes()
    made: dict[str, bytes] = {
        "cut short": whole[: len(whole) // 2],
        "scrambled": bytes(reversed(whole[:-INDEX_BYTES])) + whole[-INDEX_BYTES:],
        "other length": damaged_index(whole),
        "emptied": b"",
    }
    path.write_bytes(made[damage])
    assert_damage_is_named(array, path)


@pytest.mark.parametrize("layout", ["lossless", "JPEG"])
def test_not_one_flipped_bit_of_a_chunk_is_read_without_a_word(tmp_path: Path, layout: str) -> None:
    array = write(tmp_path, **LAYOUTS[layout])
    path = tmp_path / "c" / "0" / "0" / "0"
    whole = path.read_bytes()
    begin, length = np.frombuffer(whole[-INDEX_BYTES:], dtype="<u8", count=2).tolist()
    for place in NUMBERS.integers(begin, begin + length, 60).tolist():
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        assert_damage_is_named(array, path)
    path.write_bytes(whole)
    assert_equal_to_zarr(array)


def test_a_flipped_bit_of_the_index_is_found_in_every_slide(tmp_path: Path) -> None:
    array = write(tmp_path, **LAYOUTS["before checksums"])
    path = tmp_path / "c" / "0" / "0" / "0"
    path.write_bytes(damaged_index(path.read_bytes()))
    assert_damage_is_named(array, path, "its bytes do not match their checksum")


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_chunk_of_another_size_is_refused(tmp_path: Path, layout: dict[str, Any]) -> None:
    array = write(tmp_path / "a", **layout)
    write(tmp_path / "b", **layout, chunks=(3, 16, 16), shards=(3, 32, 32))  # as many chunks in a shard
    path, other = (folder / "c" / "0" / "0" / "0" for folder in (tmp_path / "a", tmp_path / "b"))
    path.write_bytes(other.read_bytes())
    with pytest.raises(CorruptStore, match=r"768 bytes, expected 3072|invalid out.shape"):
        Chunks(Level(array, 1.0)).read((0, 0))
