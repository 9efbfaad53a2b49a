from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from spacrd_core.errors import ImageError
from spacrd_core.slide.raster import image_size, open_raster
from spacrd_core.slide.tiff import Tiff

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray[Any, Any]


@pytest.fixture
def slide() -> Array:
    return np.random.default_rng(3).integers(0, 256, (600, 410, 3), dtype=np.uint8)


def read(path: Path, top: int = 0, bottom: int = 600) -> Array:
    with open_raster(path) as raster:
        return raster.rows(top, bottom)


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"rowsperstrip": 7, "compression": "zlib"},
        {"tile": (128, 128), "compression": "lzw"},
        {"tile": (256, 256), "compression": "zlib", "predictor": True, "bigtiff": True},
        {"tile": (128, 128), "compression": "jpeg2000"},
        {"byteorder": ">", "compression": "packbits"},
    ],
    ids=["one strip", "strips", "tiles", "BigTIFF with predictor", "JPEG 2000", "big-endian"],
)
def test_interleaved_rgb_comes_out_as_it_is_stored(tmp_path: Path, slide: Array, layout: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", slide, photometric="rgb", **layout)
    assert image_size(tmp_path / "slide.tif") == (410, 600)
    np.testing.assert_array_equal(read(tmp_path / "slide.tif"), slide)
    np.testing.assert_array_equal(read(tmp_path / "slide.tif", 255, 257), slide[255:257])


@pytest.mark.parametrize("layout", [{}, {"tile": (128, 128), "compression": "zlib"}], ids=["strips", "tiles"])
def test_planar_rgb_comes_out_as_pixels(tmp_path: Path, slide: Array, layout: dict[str, Any]) -> None:
    planes = np.moveaxis(slide, -1, 0)
    tifffile.imwrite(tmp_path / "slide.tif", planes, photometric="rgb", planarconfig="separate", **layout)
    np.testing.assert_array_equal(read(tmp_path / "slide.tif", 100, 300), slide[100:300])


def test_the_first_level_of_an_ome_pyramid_is_read(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "slide.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(slide, subifds=1, tile=(128, 128), photometric="rgb", metadata={"axes": "YXS"})
        file.write(slide[::2, ::2], subfiletype=1, tile=(128, 128), photometric="rgb")
    assert image_size(path) == (410, 600)
    np.testing.assert_array_equal(read(path), slide)


def test_three_grey_planes_of_an_ome_tiff_are_taken_as_rgb_and_noted(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "slide.ome.tif"
    tifffile.imwrite(path, np.moveaxis(slide, -1, 0), ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    np.testing.assert_array_equal(read(path), slide)
    with open_raster(path) as raster:
        assert any("planes" in note for note in raster.notes)


def test_jpeg_in_ycbcr_comes_out_as_rgb(tmp_path: Path) -> None:
    pink = Image.new("RGB", (256, 256), (230, 150, 200)).convert("YCbCr")
    tifffile.imwrite(tmp_path / "slide.tif", np.asarray(pink), photometric="ycbcr", compression="jpeg", tile=(128, 128))
    assert np.abs(read(tmp_path / "slide.tif", 0, 256).astype(int) - (230, 150, 200)).max() <= 3


@pytest.mark.parametrize(
    ("pixels", "layout", "found"),
    [
        (np.zeros((9, 9, 3), np.uint16), {"photometric": "rgb"}, "uint16"),
        (np.zeros((9, 9, 4), np.uint8), {"photometric": "rgb", "extrasamples": ["unassalpha"]}, r"\(9, 9, 4\)"),
        (np.zeros((9, 9, 4), np.uint8), {"photometric": "separated"}, r"\(9, 9, 4\)"),
        (np.zeros((9, 9, 3), np.uint8), {"photometric": "cielab"}, "CIELAB"),
        (np.zeros((9, 9, 3), np.uint8), {"photometric": "ycbcr"}, "YCBCR"),
        (np.zeros((9, 9), np.uint8), {"photometric": "minisblack"}, "YX"),
        (np.zeros((5, 9, 9), np.uint8), {"photometric": "minisblack"}, r"\(5, 9, 9\)"),
        (np.zeros((3, 9, 9), np.float32), {"photometric": "minisblack"}, "float32"),
    ],
    ids=["16 bits", "alpha", "CMYK", "Lab", "bare YCbCr", "grey", "five channels", "floats"],
)
def test_other_pixels_are_refused_by_name_with_the_remedy(
    tmp_path: Path, pixels: Array, layout: dict[str, Any], found: str
) -> None:
    tifffile.imwrite(tmp_path / "odd.tif", pixels, **layout)
    with pytest.raises(ImageError, match=rf"odd\.tif holds .*{found}") as caught:
        read(tmp_path / "odd.tif", 0, 9)
    assert "8-bit RGB" in caught.value.hint


def test_a_damaged_tile_is_an_error_and_never_glass(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "scratched.tif"
    tifffile.imwrite(path, slide, photometric="rgb", tile=(128, 128), compression="zlib")
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[9]
    content = bytearray(path.read_bytes())
    content[start : start + 400] = b"\x55" * 400
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"scratched\.tif is damaged"):
        read(path)


def test_a_tile_that_was_never_stored_is_glass(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "sparse.tif"
    tiles = [slide[y : y + 128, x : x + 128].tobytes() for y in (0, 128) for x in (0, 128)]
    tifffile.imwrite(
        path,
        iter([tiles[0], b"", *tiles[2:]]),
        shape=(256, 256, 3),
        dtype=np.uint8,
        photometric="rgb",
        tile=(128, 128),
    )
    pixels = read(path, 0, 256)
    assert (pixels[:128, 128:] == 255).all()
    np.testing.assert_array_equal(pixels[128:, 128:], slide[128:256, 128:256])


def test_a_file_of_one_strip_is_decoded_once(tmp_path: Path, slide: Array) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", slide, rowsperstrip=600, compression="zlib")
    raster = Tiff(tmp_path / "slide.tif")
    for top in range(0, 600, 50):
        raster.rows(top, top + 50)
    assert raster._band.cache_info().misses == 1
    raster.close()
