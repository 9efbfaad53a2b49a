"""How the levels of a slide are compressed: with the loss that the image already has, or without one.

Pixels that come from a JPEG are stored as JPEG: those of the image itself with its own tables, which loses almost
nothing; averages of them at a stated quality. Levels for features of whole cells and for tissue are small, and are kept
without a loss, as is an image that never had one. Every chunk has a checksum: JPEG CRC-32C, zstd its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zarr.codecs import Crc32cCodec, ZstdCodec

from spacrd_core.images.jpeg import Jpeg
from spacrd_core.slide.jpeg_codec import JpegCodec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

AVERAGED_QUALITY = 90  # of all levels, if even the finest has averages of the image's px: they are few
COARSE_QUALITY = 80  # below a finest level with the image's own px: at 90, a slide would take over twice its file
LOSSLESS_UM_PER_PX = 6.0  # such levels have little weight; a recipe of 12.5 um/px reads one of 6.25 to 12.5
CHECKED_ZSTD = ZstdCodec(level=0, checksum=True)


def level_settings(jpeg: Jpeg | None, scales: Sequence[float], *, averaged: bool) -> list[Jpeg | None]:
    """Return the JPEG settings of levels with these um/px, finest first; None for those without a loss.

    ``jpeg`` are the settings of the image, None if it has no loss. ``averaged`` tells that the finest level does not
    have the image's own px.
    """
    if jpeg is None:
        return [None] * len(scales)
    averages = Jpeg(AVERAGED_QUALITY)
    finest, coarser = (averages, averages) if averaged else (jpeg, Jpeg(COARSE_QUALITY))
    return [finest, *(coarser if scale < LOSSLESS_UM_PER_PX else None for scale in scales[1:])]


def codecs(settings: Jpeg | None) -> Mapping[str, Any]:
    """Return the codecs of a level as arguments of zarr's ``create_array``."""
    if settings is None:
        return {"compressors": CHECKED_ZSTD}
    return {"serializer": JpegCodec(settings), "compressors": Crc32cCodec()}


def describe_compression(arrays: Iterable[Any]) -> str:
    """Return how the levels of a stored slide were compressed, in words, finest first."""
    return ", then ".join(dict.fromkeys(_description(array) for array in arrays))


def _description(array: Any) -> str:
    inner = array.metadata.codecs[0].codecs if array.shards else array.metadata.codecs
    jpeg = next((codec.settings for codec in inner if isinstance(codec, JpegCodec)), None)
    if jpeg is None:
        return "lossless"
    return "JPEG by the image's own tables" if jpeg.tables else f"JPEG of quality {jpeg.quality}"
