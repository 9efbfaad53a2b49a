"""JPEG 2000 inside TIFF, as Aperio scanners write it: in RGB (33005) or in YCbCr (33003).

The codec converts YCbCr to RGB only if the chroma is subsampled, as in Aperio's own files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image
from tifffile import COMPRESSION, PHOTOMETRIC

if TYPE_CHECKING:
    from spacrd_core.arrays import UInt8Array

JPEG2000 = {
    COMPRESSION.APERIO_JP2000_YCBC,
    COMPRESSION.JPEG_2000_LOSSY,
    COMPRESSION.APERIO_JP2000_RGB,
    COMPRESSION.JPEG2000,
}
SIZE_MARKER = b"\xff\x4f\xff\x51"  # a codestream begins with the marker of its size segment
CODING_MARKER, WAVELET_OFFSET = b"\xff\x52", 13  # of the segment of coding styles, and of the wavelet in it
REVERSIBLE = 1  # the only wavelet without a loss
COMPONENTS_OFFSET = 40  # offset of the component count in that segment; three bytes per component follow


def holds_ycbcr(page: Any) -> bool:
    """Return whether a page's components are YCbCr; Aperio's compression tags override the photometric tag."""
    if page.compression == COMPRESSION.APERIO_JP2000_RGB:
        return False
    return bool(page.compression == COMPRESSION.APERIO_JP2000_YCBC or page.photometric == PHOTOMETRIC.YCBCR)


def decode_rgb(stored: bytes, *, ycbcr: bool) -> UInt8Array:
    """Return a codestream's pixels, height x width x components, with YCbCr converted to RGB."""
    pixels = imagecodecs.jpeg2k_decode(stored)
    if ycbcr and not _is_subsampled(stored):
        height, width, _ = pixels.shape
        pixels = np.asarray(Image.frombytes("YCbCr", (width, height), pixels.tobytes()).convert("RGB"))
    return np.asarray(pixels.reshape(*pixels.shape[:2], -1))


def is_lossy(stored: bytes) -> bool:
    """Return whether a codestream was compressed with a loss: by the wavelet that is not reversible."""
    return stored[stored.index(CODING_MARKER) + WAVELET_OFFSET] != REVERSIBLE


def _is_subsampled(stored: bytes) -> bool:
    size = stored[stored.index(SIZE_MARKER) :]
    count = int.from_bytes(size[COMPONENTS_OFFSET : COMPONENTS_OFFSET + 2], "big")
    steps = size[COMPONENTS_OFFSET + 2 : COMPONENTS_OFFSET + 2 + 3 * count]
    return any(step != 1 for number, step in enumerate(steps) if number % 3)
