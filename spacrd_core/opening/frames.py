"""Hold what compressed chunks of zarr say of their own size against the size of a chunk.

An array may declare a thousand numbers, and its chunk of a megabyte may unpack to thirty gigabytes: zstd shrinks zeros
to a thirty-thousandth, and a chunk is unpacked before it is measured.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
from zarr.storage import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\x28\xb5\x2f\xfd"
HEADER_BYTES = 18
DICTIONARY_BYTES = (0, 1, 2, 4)
SURPLUS = 2**16  # what other codecs may add to the bytes of a chunk


def require_bounded_chunks(array: Any, of_text: int) -> None:
    """Require that no chunk of an array in a folder unpacks to more than a chunk has; of text, to ``of_text`` bytes.

    Raises
    ------
    ValueError
        If one does.
    """
    if not isinstance(getattr(array, "store", None), LocalStore) or getattr(array, "shards", None):
        return
    if not any("zstd" in str(codec).casefold() for codec in array.compressors):
        return
    limit = of_text if array.dtype.kind in "OT" else math.prod(array.chunks) * array.dtype.itemsize + SURPLUS
    for file in _files(Path(array.store.root, array.path)):
        if (size := _unpacked(file, limit)) > limit:
            raise ValueError(
                f"{array.path}: its chunk {file.name} unpacks to {size:,} bytes or more, at most {limit:,}"
            )


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".z", "zarr.json")))


def _unpacked(file: Path, limit: int) -> int:
    """Return the size that a chunk states; where it states none, whether it is within the limit is tried."""
    with file.open("rb") as stream:
        header = stream.read(HEADER_BYTES)
    if not header.startswith(MAGIC) or len(header) < HEADER_BYTES // 2:
        return 0  # no chunk of zstd, which its reader will say
    if (size := _stated(header)) is not None:
        return size
    try:
        return len(imagecodecs.zstd_decode(file.read_bytes(), out=limit + 1))
    except imagecodecs.ZstdError:
        return limit + 1


def _stated(header: bytes) -> int | None:
    """Return the size of the content in the header of a frame (RFC 8878, 3.1.1.1); None if it has none."""
    facts = header[4]
    is_single = bool(facts & 0x20)
    length = (1 if is_single else 0, 2, 4, 8)[facts >> 6]
    if not length:
        return None
    first = 5 + (not is_single) + DICTIONARY_BYTES[facts & 3]
    return int.from_bytes(header[first : first + length], "little") + (256 if length == 2 else 0)
