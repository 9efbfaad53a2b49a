"""Refuse images that expand as no photograph does: three megabytes can declare a picture of three gigabytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

# Photographs shrink to a tenth or a fiftieth. An empty JPEG has a byte for 250 of its pixels' bytes, a PNG for 1000.
MAX_EXPANSION = 250
FREE_BYTES = 2**28  # below that, a picture of one colour is read as any other
# A slide has empty tiles that are not stored; those of an array of cores are nine tenths of it.
MAX_SLIDE_EXPANSION = 5000


def require_photograph(path: Path, width: int, height: int) -> None:
    """Refuse an image that is decoded as a whole, and is far larger than its file.

    Raises
    ------
    ImageError
        If it is.
    """
    _require(path, width, height, MAX_EXPANSION)


def require_slide(path: Path, width: int, height: int) -> None:
    """Refuse an image that is decoded in parts, and is larger than its file by far more than empty tiles make it.

    Raises
    ------
    ImageError
        If it is.
    """
    _require(path, width, height, MAX_SLIDE_EXPANSION)


def _require(path: Path, width: int, height: int, expansion: int) -> None:
    pixels, stored = 3 * width * height, path.stat().st_size
    if pixels > FREE_BYTES and pixels > expansion * stored:
        raise ImageError(
            f"{path} declares {width} x {height} px in only {stored:,} bytes, so it cannot be a picture of tissue",
            hint="copy or export it again",
        )
