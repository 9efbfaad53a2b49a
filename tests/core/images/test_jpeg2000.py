from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from spacrd_core.arrays import Array
from spacrd_core.images.raster import open_raster

CHROMA_HALVED = Path(__file__).parent / "data" / "chroma_halved.j2k"  # the fixture below in YCbCr 4:2:2, by OpenJPEG


@pytest.fixture
def violet() -> Array:
    """A violet rectangle on pink, 32 x 32 px."""
    pixels = np.full((32, 32, 3), (230, 150, 200), dtype=np.uint8)
    pixels[8:24, 16:32] = (110, 60, 150)
    return pixels


def write(path: Path, stored: bytes, compression: int, photometric: str) -> None:
    layout: dict[str, Any] = {"shape": (32, 32, 3), "dtype": np.uint8, "tile": (32, 32)}
    tifffile.imwrite(path, iter([stored]), photometric=photometric, compression=compression, metadata=None, **layout)


def read(path: Path) -> Array:
    with open_raster(path) as raster:
        return raster.rows(0, 32).astype(int)


def stored_as(pixels: Array, colours: str) -> bytes:
    image = np.asarray(Image.fromarray(pixels).convert(colours))
    return bytes(imagecodecs.jpeg2k_encode(image, level=0, codecformat="j2k", mct=False))


@pytest.mark.parametrize("photometric", ["ycbcr", "rgb"])
@pytest.mark.parametrize("chroma", ["whole", "halved"])
def test_ycbcr_of_aperio_is_converted_to_rgb(tmp_path: Path, violet: Array, chroma: str, photometric: str) -> None:
    stored = CHROMA_HALVED.read_bytes() if chroma == "halved" else stored_as(violet, "YCbCr")
    write(tmp_path / "slide.svs", stored, 33003, photometric)
    assert np.abs(read(tmp_path / "slide.svs") - violet).max() <= 2


def test_the_subsampling_tag_is_ignored(tmp_path: Path, violet: Array) -> None:
    path = tmp_path / "slide.svs"
    write(path, CHROMA_HALVED.read_bytes(), 33003, "ycbcr")
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["YCbCrSubSampling"].overwrite((2, 2))
    assert np.abs(read(path) - violet).max() <= 2


@pytest.mark.parametrize("compression", [33005, 34712])
def test_rgb_is_read_as_stored(tmp_path: Path, violet: Array, compression: int) -> None:
    write(tmp_path / "slide.svs", stored_as(violet, "RGB"), compression, "rgb")
    np.testing.assert_array_equal(read(tmp_path / "slide.svs"), violet)


def test_plain_jpeg2000_in_ycbcr_is_converted_to_rgb(tmp_path: Path, violet: Array) -> None:
    write(tmp_path / "slide.tif", stored_as(violet, "YCbCr"), 34712, "ycbcr")
    assert np.abs(read(tmp_path / "slide.tif") - violet).max() <= 2


def test_three_grey_planes_in_jpeg2000_are_rgb(tmp_path: Path, violet: Array) -> None:
    path = tmp_path / "slide.ome.tif"
    planes = np.moveaxis(violet, -1, 0)
    layout: dict[str, Any] = {"compression": "jpeg2000", "tile": (16, 16), "metadata": {"axes": "CYX"}}
    tifffile.imwrite(path, planes, photometric="minisblack", **layout)
    np.testing.assert_array_equal(read(path), violet)
