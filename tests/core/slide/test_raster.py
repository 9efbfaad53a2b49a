from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from spacrd_core.errors import ImageError, MissingFile
from spacrd_core.slide.raster import image_size, open_raster

if TYPE_CHECKING:
    from pathlib import Path

PICTURE = np.random.default_rng(0).integers(40, 255, (60, 90, 3), dtype=np.uint8)


def whole(path: Path) -> np.ndarray:
    with open_raster(path) as raster:
        return np.concatenate([raster.rows(0, 25), raster.rows(25, raster.height)])


def test_a_png_comes_out_pixel_for_pixel(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    assert (whole(tmp_path / "a.png") == PICTURE).all()
    assert image_size(tmp_path / "a.png") == (90, 60)


@pytest.mark.parametrize("planar", [False, True], ids=["interleaved", "planar"])
def test_a_tiff_comes_out_pixel_for_pixel(tmp_path: Path, planar: bool) -> None:  # noqa: FBT001 - a parameter of the test
    file = tmp_path / "a.tif"
    data = np.moveaxis(PICTURE, -1, 0) if planar else PICTURE
    tifffile.imwrite(file, data, photometric="rgb", planarconfig="separate" if planar else "contig", tile=(32, 32))
    assert (whole(file) == PICTURE).all()
    assert image_size(file) == (90, 60)


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (whole(tmp_path / "a.png") == 255).all()


def test_grey_becomes_rgb(tmp_path: Path) -> None:
    Image.new("L", (30, 30), 77).save(tmp_path / "a.png")
    assert (whole(tmp_path / "a.png") == 77).all()


def test_a_blacked_out_background_is_painted_white_and_said(tmp_path: Path) -> None:
    picture = np.zeros((80, 80, 3), dtype=np.uint8)
    picture[20:60, 20:60] = (150, 90, 160)
    Image.fromarray(picture).save(tmp_path / "a.png")
    pixels = whole(tmp_path / "a.png")
    assert (pixels[0] == 255).all()
    assert (pixels[30, 30] == (150, 90, 160)).all()
    with open_raster(tmp_path / "a.png") as raster:
        assert "blacked out" in raster.notes[0]


def test_dark_tissue_within_glass_is_left_as_it_is(tmp_path: Path) -> None:
    picture = np.full((80, 80, 3), 240, dtype=np.uint8)
    picture[30:40, 30:40] = 0
    Image.fromarray(picture).save(tmp_path / "a.png")
    assert (whole(tmp_path / "a.png") == picture).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<html>404</html>")
    with pytest.raises(ImageError, match=name):
        whole(tmp_path / name)


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:4000])
    with pytest.raises(ImageError, match=r"half\.png is damaged"):
        whole(tmp_path / "half.png")


def test_sixteen_bit_tiff_is_refused_by_name(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PICTURE.astype(np.uint16), photometric="rgb")
    with pytest.raises(ImageError, match="holds uint16 pixels"):
        whole(tmp_path / "a.tif")


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"gone\.png"):
        image_size(tmp_path / "gone.png")


def test_opening_images_leaves_pillows_own_limit_alone(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    whole(tmp_path / "a.png")
    assert before == Image.MAX_IMAGE_PIXELS
