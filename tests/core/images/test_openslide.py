import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from bundles.scanners import LeicaArea, write_dicom, write_scn, write_svs, write_vms
from PIL import Image

from spacrd_core.arrays import Array
from spacrd_core.errors import ImageError, MissingFile
from spacrd_core.images.openslide import OpenSlideImage
from spacrd_core.images.raster import image_size, open_raster

PINK, VIOLET = (230, 160, 200), (110, 60, 150)


@pytest.fixture
def slide() -> Array:
    """192 x 384 px of pink with a violet rectangle."""
    pixels = np.full((192, 384, 3), PINK, dtype=np.uint8)
    pixels[40:88, 104:200] = VIOLET
    return pixels


def read(path: Path) -> Array:
    with open_raster(path) as raster:
        return raster.rows(0, raster.height).astype(int)


@pytest.fixture
def needs_openslide() -> None:
    pytest.importorskip("openslide", reason="openslide is an extra")


@pytest.mark.parametrize(("write", "suffix"), [(write_vms, "vms"), (write_dicom, "dcm")], ids=["Hamamatsu", "DICOM"])
@pytest.mark.usefixtures("needs_openslide")
def test_a_scanner_slide_is_read_as_scanned(tmp_path: Path, slide: Array, write: Any, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    write(path, slide)
    assert image_size(path) == (384, 192)
    assert np.abs(read(path) - slide).max() <= 6


@pytest.mark.usefixtures("needs_openslide")
def test_rows_across_bands_equal_those_of_the_whole_image(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (704, 128, 3), dtype=np.uint8)
    write_dicom(tmp_path / "tall.dcm", pixels)
    with open_raster(tmp_path / "tall.dcm") as raster:
        np.testing.assert_array_equal(raster.rows(250, 600), pixels[250:600])


@pytest.mark.usefixtures("needs_openslide")
def test_openslide_reads_a_plain_tiled_tiff_as_tifffile_does(tmp_path: Path, slide: Array) -> None:
    tifffile.imwrite(tmp_path / "slide.tif", slide, photometric="rgb", tile=(64, 64), compression="zlib")
    image = OpenSlideImage(tmp_path / "slide.tif")
    np.testing.assert_array_equal(image.rows(0, 192), read(tmp_path / "slide.tif"))
    image.close()


@pytest.mark.usefixtures("needs_openslide")
def test_the_whole_frame_is_kept_and_unscanned_parts_are_white(tmp_path: Path, slide: Array) -> None:
    write_scn(tmp_path / "two.scn", [LeicaArea(slide, 30, 20), LeicaArea(slide[:64, :64], 420, 250)], size=(500, 350))
    assert image_size(tmp_path / "two.scn") == (500, 350)
    pixels = read(tmp_path / "two.scn")
    assert pixels.shape == (350, 500, 3)
    assert np.abs(pixels[20:212, 30:414] - slide).max() <= 8
    assert np.abs(pixels[250:314, 420:484] - PINK).max() <= 8
    assert (pixels[:20] == 255).all()
    assert (pixels[:, :30] == 255).all()
    assert (pixels[212:, :420] == 255).all()


@pytest.mark.usefixtures("needs_openslide")
def test_unscanned_parts_have_the_background_colour_of_the_scanner(
    tmp_path: Path, slide: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scn(tmp_path / "two.scn", [LeicaArea(slide, 30, 20)], size=(430, 300))
    monkeypatch.setattr("spacrd_core.images.openslide._background_colour", lambda _: (240, 238, 236))
    assert read(tmp_path / "two.scn")[0, 0].tolist() == [240, 238, 236]


def test_a_scanner_slide_without_openslide_names_what_to_install(
    tmp_path: Path, slide: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "slide.dcm"
    write_dicom(path, slide)
    monkeypatch.setitem(sys.modules, "openslide", None)
    for read_image in (open_raster(path).__enter__, lambda: image_size(path)):
        with pytest.raises(ImageError) as caught:
            read_image()
        assert f"{path} is in a scanner's own format" in str(caught.value)
        assert caught.value.hint == "pip install 'spacrd[wsi]'"


def test_a_plain_svs_needs_no_openslide(tmp_path: Path, slide: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    write_svs(tmp_path / "slide.svs", slide)
    monkeypatch.setitem(sys.modules, "openslide", None)
    np.testing.assert_array_equal(read(tmp_path / "slide.svs"), slide)


@pytest.mark.usefixtures("needs_openslide")
def test_an_index_file_without_its_slide_is_refused_by_name(tmp_path: Path, slide: Array) -> None:
    Image.fromarray(slide).save(tmp_path / "slide.mrxs", format="JPEG")
    with pytest.raises(ImageError) as caught:
        image_size(tmp_path / "slide.mrxs")
    assert f"openslide cannot read {tmp_path / 'slide.mrxs'}" in str(caught.value)
    assert "all the files that its scanner wrote" in caught.value.hint


@pytest.mark.usefixtures("needs_openslide")
def test_a_slide_with_a_truncated_file_is_refused_by_name(tmp_path: Path, slide: Array) -> None:
    write_vms(tmp_path / "slide.vms", slide)
    (tmp_path / "slide_ImageFile.jpg").write_bytes((tmp_path / "slide_ImageFile.jpg").read_bytes()[:900])
    with pytest.raises(ImageError, match=r"slide\.vms is damaged"):
        read(tmp_path / "slide.vms")


def test_a_missing_slide_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"gone\.mrxs"):
        image_size(tmp_path / "gone.mrxs")
