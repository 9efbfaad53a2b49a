"""A heap of texts in an HDF5 file through which its library would walk for ever is found before the file is opened."""

import struct
from pathlib import Path

import h5py
import pytest

from spacrd_core.opening.heaps import OBJECT, START, require_sound_heaps


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as written:
        written["names"] = [f"name {number}" for number in range(300)]
    return path


def changed(path: Path, index: int, size: int) -> int:
    """Write another size into the first object of an index in a heap; return where the heap begins."""
    content = bytearray(path.read_bytes())
    heap = at = content.find(START)
    at += 16
    while struct.unpack_from("<H", content, at)[0] != index:
        at += OBJECT.size + -(-struct.unpack_from("<Q", content, at + 8)[0] // 8) * 8
    content[at : at + OBJECT.size] = OBJECT.pack(index, 0, 0, size)
    path.write_bytes(content)
    return heap


def test_a_sound_file_passes_and_one_without_texts_or_any_other(file: Path, tmp_path: Path) -> None:
    require_sound_heaps(file)
    (tmp_path / "b").write_bytes(b"")
    require_sound_heaps(tmp_path / "b")
    (tmp_path / "c").write_bytes(b"x" * 100 + START)
    require_sound_heaps(tmp_path / "c")


@pytest.mark.parametrize(("index", "size"), [(0, 0), (0, 2**64 - 16), (1, 2**64 - 16), (2, 2**40)])
def test_an_object_after_which_nothing_comes_is_found(file: Path, index: int, size: int) -> None:
    heap = changed(file, index, size)
    with pytest.raises(ValueError, match=f"its heap of texts at byte {heap:,} is damaged"):
        require_sound_heaps(file)


def test_a_heap_on_the_border_of_two_blocks_is_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heap = changed(file, 0, 0)
    monkeypatch.setattr("spacrd_core.opening.heaps.BLOCK", heap + 4)
    with pytest.raises(ValueError, match=f"at byte {heap:,} "):
        require_sound_heaps(file)
