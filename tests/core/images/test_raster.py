import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from spacrd_core.arrays import Array
from spacrd_core.errors import ImageError, MissingFile
from spacrd_core.images.background import WHITENED_NOTE
from spacrd_core.images.raster import image_size, open_raster
from spacrd_core.section.section import SlideFile


def read(path: Path) -> Array:
    with open_raster(path) as raster:
        return raster.rows(0, raster.height)


def test_a_png_is_read_as_stored(tmp_path: Path, noise: Array) -> None:
    Image.fromarray(noise).save(tmp_path / "slide.png")
    with open_raster(tmp_path / "slide.png") as raster:
        assert (raster.width, raster.height, raster.notes) == (53, 37, ())
        np.testing.assert_array_equal(raster.rows(0, 37), noise)
        np.testing.assert_array_equal(raster.rows(5, 6), noise[5:6])


def test_rows_across_bands_equal_those_of_the_whole_image(tmp_path: Path) -> None:
    tall = np.random.default_rng(1).integers(0, 256, (700, 3, 3), dtype=np.uint8)
    Image.fromarray(tall).save(tmp_path / "slide.png")
    with open_raster(tmp_path / "slide.png") as raster:
        np.testing.assert_array_equal(raster.rows(100, 690), tall[100:690])


def test_a_jpeg_is_read_as_pillow_decodes_it(tmp_path: Path, noise: Array) -> None:
    path = tmp_path / "slide.jpg"
    Image.fromarray(noise).save(path, quality=90)
    np.testing.assert_array_equal(read(path), np.asarray(Image.open(path)))


@pytest.mark.parametrize(("mode", "suffix"), [("L", "png"), ("P", "png"), ("1", "png"), ("CMYK", "jpg"), ("L", "jpg")])
def test_grey_palette_and_cmyk_become_rgb(tmp_path: Path, noise: Array, mode: str, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    Image.fromarray(noise).convert(mode).save(path)
    np.testing.assert_array_equal(read(path), np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_flattened_over_white(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (3, 1), (100, 100, 100, 255))
    picture.putpixel((1, 0), (100, 100, 100, 0))
    picture.putpixel((2, 0), (100, 100, 100, 127))
    picture.convert(mode).save(tmp_path / "slide.png")
    assert read(tmp_path / "slide.png")[0, :, 0].tolist() == [100, 255, 178]


def test_a_transparent_palette_colour_is_flattened_over_white(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "slide.png", transparency=0)
    assert read(tmp_path / "slide.png")[0].tolist() == [[255, 255, 255], [40, 50, 60]]


def test_the_exif_orientation_is_not_applied_because_positions_refer_to_stored_pixels(
    tmp_path: Path, noise: Array
) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(noise).save(tmp_path / "slide.jpg", exif=exif)
    assert read(tmp_path / "slide.jpg").shape == noise.shape
    assert image_size(tmp_path / "slide.jpg") == (53, 37)


def test_a_slide_beyond_pillows_limit_opens_and_the_limit_stays(
    tmp_path: Path, noise: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(noise).save(tmp_path / "slide.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(read(tmp_path / "slide.png"), noise)
    assert image_size(tmp_path / "slide.png") == (53, 37)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_an_image_that_would_fill_the_memory_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (1, 1)).save(path)
    header = bytearray(path.read_bytes())
    header[16:24] = (60_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    path.write_bytes(header)
    with pytest.raises(ImageError, match=r"bomb\.png declares 60000 x 60000 px in only 67 bytes"), open_raster(path):
        pass


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_the_size_is_known_without_the_pixels(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    pixels = np.random.default_rng(2).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    if suffix == "tif":
        tifffile.imwrite(path, pixels)
    else:
        Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    assert image_size(path) == (400, 300)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_truncated_image_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"half.{suffix}"
    pixels = np.random.default_rng(2).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    if suffix == "tif":
        tifffile.imwrite(path, pixels, rowsperstrip=16)
    else:
        Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match=rf"half\.{suffix} is (damaged|truncated)") as caught, open_raster(path):
        pass
    assert "again" in caught.value.hint


def test_damaged_png_data_is_refused_by_name(tmp_path: Path, noise: Array) -> None:
    path = tmp_path / "scratched.png"
    Image.fromarray(noise).save(path)
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"scratched\.png is damaged"), open_raster(path):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"%PDF-1.7", b"\x89PNG", b"\xff\xd8", b"II*\0", b"MM\0*\0\0\0\x08\0\x01"]
)
def test_a_file_that_is_no_image_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "slide.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"slide\.png is"), open_raster(path):
        pass
    with pytest.raises(ImageError, match=r"slide\.png is"):
        image_size(path)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"slide\.jpg"):
        image_size(tmp_path / "slide.jpg")


def test_sixteen_bit_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), dtype=np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ImageError, match=r"deep\.png has I;16 pixels"):
        read(tmp_path / "deep.png")


def test_the_format_is_recognised_by_content_and_not_by_name(tmp_path: Path, noise: Array) -> None:
    tifffile.imwrite(tmp_path / "slide.jpg", noise)
    np.testing.assert_array_equal(read(tmp_path / "slide.jpg"), noise)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_a_grey_photograph_is_noted(tmp_path: Path, noise: Array, mode: str) -> None:
    Image.fromarray(noise).convert(mode).save(tmp_path / "grey.png")
    with open_raster(tmp_path / "grey.png") as raster:
        assert "the image is grey" in raster.notes[0]


def test_an_image_inside_a_table_is_read_like_one_in_a_file(tmp_path: Path, noise: Array) -> None:
    slide = SlideFile(tmp_path / "table.h5ad", um_per_px=1.0, pixels=noise)
    assert image_size(slide) == (53, 37)
    with open_raster(slide) as raster:
        np.testing.assert_array_equal(raster.rows(0, 37), noise)
    black = noise.copy()
    black[:10], black[-10:], black[:, :10], black[:, -10:] = 0, 0, 0, 0
    with open_raster(SlideFile(tmp_path / "table.h5ad", 1.0, pixels=black)) as raster:
        assert raster.notes == (WHITENED_NOTE,)
        assert (raster.rows(0, 37)[0] == 255).all()


def test_a_slide_file_without_pixels_is_read_from_its_path(tmp_path: Path, noise: Array) -> None:
    Image.fromarray(noise).save(tmp_path / "slide.png")
    slide = SlideFile(tmp_path / "slide.png", um_per_px=1.0)
    assert image_size(slide) == (53, 37)
    with open_raster(slide) as raster:
        np.testing.assert_array_equal(raster.rows(0, 37), noise)


@pytest.mark.parametrize(
    ("pixels", "actual"),
    [
        (np.zeros((9, 8, 3), np.float32), "float32 with shape (1, 8, 3)"),
        (np.zeros((9, 8, 4), np.uint8), "uint8 with shape (1, 8, 4)"),
        (np.zeros((9, 8), np.uint8), "uint8 with shape (1, 8)"),
    ],
    ids=["floats", "four channels", "grey"],
)
def test_rows_that_are_not_8_bit_rgb_are_refused_with_their_type_and_shape(
    tmp_path: Path, pixels: Array, actual: str
) -> None:
    path = tmp_path / "table.h5ad"
    with pytest.raises(ImageError) as caught, open_raster(SlideFile(path, 1.0, pixels=pixels)):
        pass
    assert f"rows of {actual}, expected 8-bit RGB with shape (1, 8, 3)" in str(caught.value)
    assert "8-bit RGB" in caught.value.hint


@pytest.mark.her2st
def test_a_real_slide_of_92_megapixels_opens(her2st: Path) -> None:
    path = her2st / "ST-imgs" / "B" / "B4" / "BT10737_D2_HE.jpg"
    assert image_size(path) == (9272, 9923)
    with open_raster(path) as raster:
        assert raster.notes == ()
        assert raster.rows(5000, 5001).shape == (1, 9272, 3)
