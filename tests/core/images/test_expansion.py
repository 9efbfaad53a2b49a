"""Images that expand as no photograph does are refused before they are decoded."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from spacrd_core.errors import ImageError
from spacrd_core.images import expansion
from spacrd_core.images.raster import open_raster


def png_of(path: Path, width: int, height: int) -> Path:
    """Write a PNG that declares a size and holds no row of it."""
    parts = (
        (b"IHDR", struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def test_a_png_that_declares_gigabytes_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    file = png_of(tmp_path / "a.png", 30_000, 30_000)
    with (
        pytest.raises(
            ImageError, match=r"a\.png declares 30000 x 30000 px in only \d+ bytes, so it cannot be a picture of tissue"
        ),
        open_raster(file),
    ):
        pass


def test_a_picture_of_one_colour_is_read_if_it_is_small(tmp_path: Path) -> None:
    file = tmp_path / "white.png"
    Image.new("RGB", (2000, 2000), "white").save(file)
    assert expansion.MAX_EXPANSION * file.stat().st_size < 3 * 2000**2
    with open_raster(file) as raster:
        assert raster.width == 2000


def test_a_slide_that_is_nothing_but_a_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, np.zeros((2048, 2048, 3), np.uint8), tile=(256, 256), compression="zlib", photometric="rgb")
    with open_raster(file):
        pass
    monkeypatch.setattr(expansion, "FREE_BYTES", 0)
    monkeypatch.setattr(expansion, "MAX_SLIDE_EXPANSION", 10)
    with pytest.raises(ImageError, match="declares 2048 x 2048 px in"), open_raster(file):
        pass
