from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from bundles.scanners import write_svs

from spacrd_core.arrays import Array
from spacrd_core.errors import ImageError
from spacrd_core.images.raster import image_size, open_raster

EXPORT, STAIN = "export it as 8-bit RGB", "give the H&E image"  # key phrases of the hints


@pytest.fixture
def slide() -> Array:
    return np.random.default_rng(3).integers(0, 256, (300, 210, 3), dtype=np.uint8)


def test_the_slide_of_an_svs_is_read_and_not_its_thumbnail_label_or_overview(tmp_path: Path, slide: Array) -> None:
    write_svs(tmp_path / "slide.svs", slide)
    assert image_size(tmp_path / "slide.svs") == (210, 300)
    with open_raster(tmp_path / "slide.svs") as raster:
        assert raster.notes == ()
        np.testing.assert_array_equal(raster.rows(0, 300), slide)


def test_the_largest_rgb_image_is_read_and_noted_if_it_is_not_the_first(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "many.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(slide[::4, ::4], photometric="rgb", metadata={"axes": "YXS", "Name": "label"})
        file.write(slide, photometric="rgb", tile=(64, 64), metadata={"axes": "YXS", "Name": "slide"})
        file.write(np.zeros((900, 900), np.uint16), photometric="minisblack", metadata={"axes": "YX", "Name": "DAPI"})
    assert image_size(path) == (210, 300)
    with open_raster(path) as raster:
        assert raster.notes == ("the largest of the file's images was read: number 2, 210 x 300 px",)
        np.testing.assert_array_equal(raster.rows(0, 300), slide)


def test_levels_stored_as_plain_pages_are_distinguished_from_the_slide_by_size(tmp_path: Path, slide: Array) -> None:
    with tifffile.TiffWriter(tmp_path / "levels.tif") as file:
        for step in (1, 2, 4):
            file.write(slide[::step, ::step], photometric="rgb", metadata=None)
    with open_raster(tmp_path / "levels.tif") as raster:
        assert (raster.width, raster.height, raster.notes) == (210, 300, ())


@pytest.mark.parametrize(
    ("pixels", "layout", "problem", "hint"),
    [
        (np.zeros((9, 9, 3), np.uint16), {"photometric": "rgb"}, "16-bit integers", EXPORT),
        (np.zeros((9, 9, 3), np.float32), {"photometric": "rgb"}, "32-bit floating-point numbers", EXPORT),
        (np.zeros((3, 9, 9), np.float32), {"photometric": "minisblack"}, "32-bit floating-point numbers", EXPORT),
        (np.zeros((9, 9), bool), {"photometric": "minisblack"}, "bool pixels", EXPORT),
        (np.zeros((9, 9), np.uint8), {"photometric": "minisblack"}, "grey pixels", STAIN),
        (np.zeros((3, 9, 9), np.uint8), {"photometric": "miniswhite"}, "inverted grey colours", EXPORT),
        (np.zeros((5, 9, 9), np.uint8), {"photometric": "minisblack"}, "5 grey channels", STAIN),
        (np.zeros((9, 9, 4), np.uint8), {"photometric": "separated"}, "CMYK colours", EXPORT),
        (np.zeros((9, 9, 3), np.uint8), {"photometric": "cielab"}, "CIELAB colours", EXPORT),
        (np.zeros((9, 9, 3), np.uint8), {"photometric": "ycbcr"}, "YCbCr colours", EXPORT),
        (
            np.zeros((9, 9), np.uint8),
            {"photometric": "palette", "colormap": np.zeros((3, 256), np.uint16)},
            "palette colours",
            EXPORT,
        ),
        (np.zeros((9, 9, 5), np.uint8), {"photometric": "rgb"}, "5 channels", EXPORT),
        (
            np.zeros((4, 9, 9, 3), np.uint8),
            {"photometric": "rgb", "metadata": {"axes": "ZYXS"}},
            "a stack of images (ZYXS of shape (4, 9, 9, 3))",
            EXPORT,
        ),
    ],
    ids=[
        "16 bits", "floats", "float planes", "1 bit", "grey", "inverted grey", "five stains", "CMYK", "Lab",
        "bare YCbCr", "palette", "five channels", "stack",
    ],
)  # fmt: skip
def test_other_pixel_types_are_refused_by_name_with_the_remedy(
    tmp_path: Path, pixels: Array, layout: dict[str, Any], problem: str, hint: str
) -> None:
    path = tmp_path / "odd.tif"
    tifffile.imwrite(path, pixels, **layout)
    with pytest.raises(ImageError) as caught, open_raster(path):
        pass
    assert f"{path} has {problem}, expected 8-bit RGB" in str(caught.value)
    assert hint in caught.value.hint
    with pytest.raises(ImageError, match="expected 8-bit RGB"):
        image_size(path)


def test_an_unknown_compression_is_refused_and_not_called_damage(tmp_path: Path, slide: Array) -> None:
    path = tmp_path / "odd.tif"
    tifffile.imwrite(path, slide, photometric="rgb", compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["Compression"].overwrite(65535)
    with pytest.raises(ImageError) as caught, open_raster(path):
        pass
    assert f"{path} has an unknown compression (65535)" in str(caught.value)


@pytest.mark.parametrize("present", [True, False])
def test_planes_in_other_files_are_refused(tmp_path: Path, slide: Array, *, present: bool) -> None:
    path, other = tmp_path / "red.ome.tif", tmp_path / "rest.ome.tif"
    ids = {path: f"urn:uuid:{1:036}", other: f"urn:uuid:{2:036}"}
    places = "".join(
        f'<TiffData FirstC="{c}" IFD="{ifd}"><UUID FileName="{file.name}">{ids[file]}</UUID></TiffData>'
        for c, file, ifd in ((0, path, 0), (1, other, 0), (2, other, 1))
    )
    size = 'Type="uint8" SizeX="210" SizeY="300" SizeC="3" SizeZ="1" SizeT="1"'
    pixels = f'<Pixels ID="Pixels:0" DimensionOrder="XYCZT" {size}>{places}</Pixels>'
    for file, planes in ((path, slide[..., :1]), (other, slide[..., 1:])):
        space = f'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{ids[file]}"'
        xml = f'<OME {space}><Image ID="Image:0">{pixels}</Image></OME>'
        tifffile.imwrite(file, np.moveaxis(planes, -1, 0), description=xml, metadata=None, photometric="minisblack")
    if not present:
        other.unlink()
    with pytest.raises(ImageError) as caught, open_raster(path):
        pass
    assert f"{path} has planes in several files" in str(caught.value)
