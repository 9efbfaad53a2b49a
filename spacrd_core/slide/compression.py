"""How the levels of a slide are compressed: with the loss that the image already has, or without one.

An image that was never compressed with a loss stays as it is: zstd, with checksums of its own. Pixels that come from a
JPEG are stored as JPEG: on the first level, if it has the pixels of the file, with the file's own tables, which loses
almost nothing; where pixels were averaged, at a stated quality. Each chunk has a checksum (CRC-32C).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zarr.codecs import Crc32cCodec, ZstdCodec

from spacrd_core.images.jpeg import Jpeg
from spacrd_core.slide.jpeg_codec import JpegCodec

if TYPE_CHECKING:
    from collections.abc import Mapping

COARSE_QUALITY = 80  # of all levels but the finest; together they take three quarters of the room of the file
CHECKED_ZSTD = ZstdCodec(level=0, checksum=True)


def level_codecs(jpeg: Jpeg | None, level: int, *, averaged: bool) -> Mapping[str, Any]:
    """Return the codecs of a level as arguments of zarr's ``create_array``; level 0 is the finest.

    ``jpeg`` are the settings of the image, None if it has no loss. ``averaged`` tells that the finest level does not
    have the image's own pixels.
    """
    if jpeg is None:
        return {"compressors": CHECKED_ZSTD}
    own = Jpeg() if averaged else jpeg
    return {"serializer": JpegCodec(Jpeg(COARSE_QUALITY) if level else own), "compressors": Crc32cCodec()}


def describe_compression(array: Any) -> str:
    """Return how the pixels of a stored level were compressed, in words."""
    inner = array.metadata.codecs[0].codecs if array.shards else array.metadata.codecs
    jpeg = next((codec.settings for codec in inner if isinstance(codec, JpegCodec)), None)
    if jpeg is None:
        return "lossless"
    return "JPEG with the image's own tables" if jpeg.tables else f"JPEG of quality {jpeg.quality}"
