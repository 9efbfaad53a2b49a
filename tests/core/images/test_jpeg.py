"""Pixels of a JPEG lose almost nothing when they are compressed again with its own tables."""

from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from scipy.ndimage import gaussian_filter

from spacrd_core.arrays import Array
from spacrd_core.images.jpeg import DEFAULT_QUALITY, Jpeg, jpeg_settings
from spacrd_core.images.raster import open_raster

TIFF_JPEG: dict[str, Any] = {"compression": "jpeg", "tile": (128, 128), "compressionargs": {"level": 70}}


@pytest.fixture
def tissue() -> Array:
    """Pink of varying light, with some noise."""
    noise = np.random.default_rng(0).normal(size=(256, 384, 4))
    smooth = gaussian_filter(noise, (4, 4, 0))
    light, colour = 200 * smooth[..., :1], 60 * smooth[..., 1:]
    return np.clip([180, 120, 160] + light + colour + 2 * noise[..., :1], 0, 255).astype(np.uint8)


def compressed(pixels: Array, **choices: Any) -> JpegImageFile:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **choices)
    stream.seek(0)
    return JpegImageFile(stream)


def error(one: Array, other: Array) -> float:
    """Root mean square of the differences."""
    return float(((one.astype(float) - other) ** 2).mean() ** 0.5)


@pytest.mark.parametrize(
    ("choices", "subsampling", "rgb", "share"),
    [
        ({}, "4:2:0", False, 0.1),
        ({"subsampling": "4:2:2"}, "4:2:2", False, 0.1),
        ({"subsampling": "4:4:4", "progressive": True}, "4:4:4", False, 0.02),
        ({"subsampling": "4:4:4", "keep_rgb": True}, "4:4:4", True, 0.02),
    ],
    ids=["as usual", "half the chroma", "progressive", "RGB"],
)
def test_a_file_loses_little_when_compressed_again_by_its_own_tables(
    tissue: Array, choices: dict[str, Any], subsampling: str, share: float, *, rgb: bool
) -> None:
    file = compressed(tissue, quality=60, **choices)
    settings = jpeg_settings(file)
    assert settings is not None
    assert (settings.subsampling, settings.rgb, len(settings.tables)) == (subsampling, rgb, 2)
    pixels = np.asarray(file)
    again = np.asarray(Image.open(BytesIO(settings.encode(pixels))))
    assert error(again, pixels) < share * error(pixels, tissue)
    assert len(settings.encode(pixels)) < 1.05 * len(Jpeg(60, subsampling=subsampling, rgb=rgb).encode(tissue))


def test_the_light_of_a_grey_file_is_kept_to_the_last_px(tissue: Array) -> None:
    file = compressed(tissue[..., 0], quality=60)
    settings = jpeg_settings(file)
    assert settings is not None
    pixels = np.asarray(file.convert("RGB"))
    again = np.asarray(Image.open(BytesIO(settings.encode(pixels))))
    assert np.abs(again.astype(int) - pixels).max() <= 1


def test_a_file_that_cannot_be_repeated_is_compressed_by_the_usual_quality(tissue: Array) -> None:
    stream = BytesIO()
    Image.fromarray(tissue).convert("CMYK").save(stream, "JPEG")
    stream.seek(0)
    assert jpeg_settings(JpegImageFile(stream)) == Jpeg(DEFAULT_QUALITY)


def test_a_higher_quality_loses_less(tissue: Array) -> None:
    errors = [error(np.asarray(Image.open(BytesIO(Jpeg(q).encode(tissue)))), tissue) for q in (50, 80, 90)]
    assert errors == sorted(errors, reverse=True)


def written(path: Path, tissue: Array, layout: dict[str, Any]) -> Path:
    if layout:
        tifffile.imwrite(path, tissue, **deepcopy(layout))  # tifffile changes what it is given
    else:
        Image.fromarray(tissue).save(path, "JPEG" if path.suffix == ".jpg" else "PNG")
    return path


@pytest.mark.parametrize(
    ("name", "layout", "subsampling"),
    [
        ("slide.jpg", {}, "4:2:0"),
        ("slide.tif", {**TIFF_JPEG, "photometric": "rgb", "subsampling": (2, 1)}, "4:2:2"),
        ("slide.tif", {**TIFF_JPEG, "photometric": "rgb", "subsampling": (2, 2)}, "4:2:0"),
        (
            "slide.tif",
            {**TIFF_JPEG, "photometric": "rgb", "compressionargs": {"level": 70, "outcolorspace": "rgb"}},
            "4:4:4",
        ),
    ],
    ids=["JPEG", "TIFF of half the chroma", "TIFF of a quarter", "TIFF of RGB"],
)
def test_an_image_of_jpeg_tells_its_tables(
    tmp_path: Path, tissue: Array, name: str, layout: dict[str, Any], subsampling: str
) -> None:
    with open_raster(written(tmp_path / name, tissue, layout)) as raster:
        assert raster.jpeg is not None
        assert raster.jpeg.tables
        assert raster.jpeg.subsampling == subsampling
        pixels = raster.rows(0, 256)
        again = np.asarray(Image.open(BytesIO(raster.jpeg.encode(pixels))))
    assert error(again, pixels) < 0.5


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("slide.png", {}),
        ("slide.tif", {"photometric": "rgb"}),
        ("slide.tif", {"photometric": "rgb", "compression": "zlib", "tile": (128, 128)}),
        ("slide.tif", {"photometric": "rgb", "compression": "jpeg2000", "tile": (128, 128)}),
    ],
    ids=["PNG", "TIFF as it is", "TIFF of zlib", "JPEG 2000 by the reversible wavelet"],
)
def test_an_image_without_a_loss_has_no_settings(
    tmp_path: Path, tissue: Array, name: str, layout: dict[str, Any]
) -> None:
    with open_raster(written(tmp_path / name, tissue, layout)) as raster:
        assert raster.jpeg is None


def test_jpeg_2000_with_a_loss_is_compressed_by_the_usual_quality(tmp_path: Path, tissue: Array) -> None:
    lossy = {"reversible": False, "level": 40}
    path = written(
        tmp_path / "slide.tif",
        tissue,
        {"photometric": "rgb", "compression": "jpeg2000", "tile": (128, 128), "compressionargs": lossy},
    )
    with open_raster(path) as raster:
        assert raster.jpeg == Jpeg(DEFAULT_QUALITY)
