"""A zarr codec that stores chunks of colour pixels as JPEG.

It is found by its name wherever SpaCRD is installed, through the entry point ``zarr.codecs`` of its distribution, so
that zarr opens a slide without SpaCRD being imported.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import imagecodecs
import numpy as np
from zarr.abc.codec import ArrayBytesCodec
from zarr.registry import register_codec

from spacrd_core.images.jpeg import Jpeg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer, NDBuffer

    from spacrd_core.arrays import UInt8Array

NAME = "spacrd.jpeg"


@dataclass(frozen=True)
class JpegCodec(ArrayBytesCodec):
    """Stores a chunk of 3 x height x width bytes as one JPEG file."""

    settings: Jpeg
    is_fixed_size = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the codec of an array's metadata."""
        settings = dict(data["configuration"])
        settings["tables"] = tuple(tuple(table) for table in settings.get("tables", ()))
        return cls(Jpeg(**settings))

    def to_dict(self) -> dict[str, Any]:
        """Return the codec as JSON-able values for an array's metadata."""
        settings = asdict(self.settings)
        del settings["quality" if self.settings.tables else "tables"]
        return {"name": NAME, "configuration": settings}

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Refuse, as zarr asks of a codec whose results vary in length."""
        raise NotImplementedError

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        pixels = np.ascontiguousarray(np.moveaxis(chunk_data.as_numpy_array(), 0, -1))
        encoded = await asyncio.to_thread(self.settings.encode, pixels)
        return chunk_spec.prototype.buffer.from_bytes(encoded)

    async def _decode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        _, height, width = chunk_spec.shape
        pixels = await asyncio.to_thread(decode, chunk_bytes.to_bytes(), height, width)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(np.moveaxis(pixels, -1, 0))


def decode(encoded: bytes, height: int, width: int) -> UInt8Array:
    """Return the pixels of a JPEG file, height x width x 3.

    Raises
    ------
    ValueError, RuntimeError
        If it is damaged, or has another size: no memory is taken for more pixels than were asked for.
    """
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    imagecodecs.jpeg8_decode(encoded, out=pixels)
    return pixels


register_codec(NAME, JpegCodec)
