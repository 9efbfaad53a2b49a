"""Tell an array that has lost chunks: a chunk that is not there reads as zeros, and nothing complains."""

from __future__ import annotations

from typing import Any

# deflate, szip, and those registered with The HDF Group: LZF, Blosc, LZ4, bzip2, Blosc2, Zstandard
HDF5_COMPRESSORS = frozenset((1, 4, 32000, 32001, 32004, 307, 32026, 32015))
COMPRESSORS = ("gzip", "zlib", "zstd", "blosc", "lz4", "bz2", "lzma", "gdeflate", "zfpy")


def require_whole(array: Any) -> None:
    """Require that a list of numbers which cannot all be zero, of h5py or zarr, has all its chunks.

    A last chunk of a single number may be that number's zero, which zarr does not write.

    Raises
    ------
    ValueError
        If chunks are missing.
    """
    if not array.chunks or not array.shape or not array.shape[0]:
        return
    whole, rest = divmod(int(array.shape[0]), int(array.chunks[0]))
    expected = whole + (rest > 1)
    if (there := _chunks_there(array)) < expected:
        raise ValueError(f"{str(array.name).lstrip('/')} has {there} of its {expected} chunks: the others are lost")


def _chunks_there(array: Any) -> int:
    if hasattr(array, "id"):
        return int(array.id.get_num_chunks())
    return int(array.nchunks_initialized)


def compressions(array: Any) -> int:
    """Return how many times the chunks of an array of h5py or zarr are compressed, one after another."""
    if hasattr(array, "id"):
        settings = array.id.get_create_plist()
        return sum(settings.get_filter(number)[0] in HDF5_COMPRESSORS for number in range(settings.get_nfilters()))
    names = [str(codec).casefold() for codec in (*array.filters, *array.compressors)]
    return sum(any(word in name for word in COMPRESSORS) for name in names)
