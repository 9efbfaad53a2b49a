import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from spacrd_core.arrays import Array
from spacrd_core.errors import ImageError
from spacrd_core.images import tiff as module
from spacrd_core.images.raster import image_size, open_raster
from spacrd_core.images.tiff import TiffImage
from spacrd_core.images.tiff_segments import Segments


@pytest.fixture
def slide() -> Array:
    return np.random.default_rng(3).integers(0, 256, (600, 410, 3), dtype=np.uint8)


def read(path: Path, top: int = 0, bottom: int = 600) -> Array:
    with open_raster(path) as raster:
        return raster.rows(top, bottom)


@pytest.mark.ci_cases(4)
@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"rowsperstrip": 7, "compression": "zlib"},
        {"tile": (128, 128), "compression": "lzw"},
        {"tile": (128, 128), "compression": "lzw", "bigtiff": True},
        {"tile": (256, 256), "compression": "zlib", "predictor": True, "bigtiff": True},
        {"tile": (128, 128), "compression": "jpeg2000"},
        {"tile": (128, 128), "compression": "jpeg2000", "bigtiff": True, "ome": True, "metadata": {"axes": "YXS"}},
        {"byteorder": ">", "compression": "packbits"},
        {"tile": (64, 32)},
        {"tile": (128, 416)},
    ],
    ids=[
        "one strip", "strips", "tiles", "BTF of LZW tiles", "BigTIFF with predictor", "JPEG 2000", "OME of JPEG 2000",
        "big-endian", "bare tiles", "one tile across",
    ],
)  # fmt: skip
def test_interleaved_rgb_is_read_as_stored(tmp_path: Path, slide: Array, layout: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", slide, photometric="rgb", **layout)
    assert image_size(tmp_path / "slide.tif") == (410, 600)
    np.testing.assert_array_equal(read(tmp_path / "slide.tif"), slide)
    np.testing.assert_array_equal(read(tmp_path / "slide.tif", 255, 257), slide[255:257])


@pytest.mark.parametrize(
    "layout",
    [{}, {"tile": (128, 128), "compression": "zlib"}, {"ome": True, "metadata": {"axes": "CYX"}}],
    ids=["strips", "tiles", "OME"],
)
def test_planar_rgb_is_read_as_interleaved_pixels(tmp_path: Path, slide: Array, layout: dict[str, Any]) -> None:
    planes = np.moveaxis(slide, -1, 0)
    tifffile.imwrite(tmp_path / "slide.tif", planes, photometric="rgb", planarconfig="separate", **layout)
    np.testing.assert_array_equal(read(tmp_path / "slide.tif", 100, 300), slide[100:300])


@pytest.mark.parametrize("axes", ["CYXS", "TYXS", "ZYXS"])
def test_axes_of_length_one_are_ignored(tmp_path: Path, slide: Array, axes: str) -> None:
    path = tmp_path / "slide.ome.tif"
    tifffile.imwrite(path, slide[None], photometric="rgb", metadata={"axes": axes})
    np.testing.assert_array_equal(read(path), slide)


def test_the_first_level_of_an_ome_pyramid_is_read(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "slide.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(slide, subifds=1, tile=(128, 128), photometric="rgb", metadata={"axes": "YXS"})
        file.write(slide[::2, ::2], subfiletype=1, tile=(128, 128), photometric="rgb")
    assert image_size(path) == (410, 600)
    np.testing.assert_array_equal(read(path), slide)


@pytest.mark.parametrize(
    "layout",
    [
        {"ome": True, "metadata": {"axes": "CYX"}},
        {"ome": True, "metadata": {"axes": "CYX"}, "compression": "zlib", "tile": (128, 128)},
        {"metadata": None},
        {"imagej": True, "metadata": {"axes": "CYX"}},
    ],
    ids=["OME", "OME tiles", "bare pages", "ImageJ"],
)
def test_three_grey_planes_are_read_as_rgb_and_noted(tmp_path: Path, slide: Array, layout: dict[str, Any]) -> None:
    path = tmp_path / "slide.tif"
    tifffile.imwrite(path, np.moveaxis(slide, -1, 0), photometric="minisblack", **layout)
    np.testing.assert_array_equal(read(path), slide)
    with open_raster(path) as raster:
        assert raster.notes == ("its three channel planes were read as red, green and blue",)


@pytest.mark.parametrize("colours", ["ycbcr", "rgb"])
def test_jpeg_is_read_as_rgb_in_any_stored_colour_space(tmp_path: Path, colours: str) -> None:
    path = tmp_path / "slide.tif"
    pink = np.asarray(Image.new("RGB", (256, 256), (230, 150, 200)))
    stored: dict[str, Any] = {"compression": "jpeg", "compressionargs": {"outcolorspace": colours}, "tile": (128, 128)}
    tifffile.imwrite(path, pink, photometric="rgb", **stored)
    with tifffile.TiffFile(path) as file:
        assert tifffile.PHOTOMETRIC(file.pages.first.photometric).name.lower() == colours
    assert np.abs(read(path, 0, 256).astype(int) - (230, 150, 200)).max() <= 3


def test_a_damaged_tile_is_an_error_and_never_white(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "scratched.tif"
    tifffile.imwrite(path, slide, photometric="rgb", tile=(128, 128), compression="zlib")
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[9]
    content = bytearray(path.read_bytes())
    content[start : start + 400] = b"\x55" * 400
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"scratched\.tif is damaged"):
        read(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tile_that_is_not_stored_is_white(tmp_path: Path, slide: Array, compression: str | None) -> None:
    path = tmp_path / "sparse.tif"
    tiles = [slide[y : y + 128, x : x + 128] for y in (0, 128) for x in (0, 128)]
    stored = [tifffile.TIFF.COMPRESSORS[8](tile) if compression else tile.tobytes() for tile in tiles]
    tifffile.imwrite(
        path,
        iter([stored[0], b"", *stored[2:]]),
        shape=(256, 256, 3),
        dtype=np.uint8,
        photometric="rgb",
        tile=(128, 128),
        compression=compression,
    )
    pixels = read(path, 0, 256)
    assert (pixels[:128, 128:] == 255).all()
    np.testing.assert_array_equal(pixels[128:, 128:], slide[128:256, 128:256])


def test_a_file_of_one_strip_is_decoded_once(tmp_path: Path, slide: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", slide, rowsperstrip=600, compression="zlib")
    decoded = []
    decode = Segments.decode

    def record(segments: Segments, top: int, bottom: int) -> Array:
        decoded.append((top, bottom))
        return decode(segments, top, bottom)

    monkeypatch.setattr(Segments, "decode", record)
    raster = TiffImage(tmp_path / "slide.tif")
    for top in range(0, 600, 50):
        raster.rows(top, top + 50)
    raster.close()
    assert decoded == [(0, 600)]


def test_strips_that_must_be_decoded_whole_are_noted_with_their_memory(
    tmp_path: Path, slide: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GIB", slide.size / 1.2)
    for name, layout in (("strip", {"rowsperstrip": 600}), ("tiles", {"tile": (128, 128)})):
        tifffile.imwrite(tmp_path / f"{name}.tif", slide, compression="zlib", **layout)
    with open_raster(tmp_path / "strip.tif") as strip, open_raster(tmp_path / "tiles.tif") as tiles:
        assert len(strip.notes) == 1
        assert "strips of 600 rows, each decoded whole (1.2 GiB)" in strip.notes[0]
        assert tiles.notes == ()


def test_uncompressed_rows_are_read_alone_from_a_strip_of_any_length(tmp_path: Path, slide: Array) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", slide, rowsperstrip=600)
    raster = TiffImage(tmp_path / "slide.tif")
    assert raster._decoder.band_rows < math.ceil(600 / 2)
    np.testing.assert_array_equal(raster.rows(300, 301), slide[300:301])
    raster.close()


def test_returned_rows_do_not_keep_a_band_in_memory(tmp_path: Path, slide: Array) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", slide, tile=(128, 128), compression="zlib", photometric="rgb")
    raster = TiffImage(tmp_path / "slide.tif")
    assert raster.rows(5, 6).base is None
    raster.close()
