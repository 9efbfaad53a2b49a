"""The picture of an object as a slide, and what it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bundles.anndata_file import tissue_object, write_anndata
from PIL import Image

from spacrd_core.errors import ConfigError, GeometryError, ImageError, MissingFile
from spacrd_core.section.section import Given, Section
from spacrd_readers.anndata.reader import AnnData

if TYPE_CHECKING:
    from pathlib import Path

    import anndata as ad
    from numpy.typing import NDArray

INSTEAD = "--image FILE gives the full-resolution image, --no-image leaves it out"


def read(tmp_path: Path, adata: ad.AnnData, picture: str = "", **given: Any) -> Section:
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    return AnnData(AnnData.Options(image=picture)).read(path, Given(**given))


def with_picture(picture: Any) -> ad.AnnData:
    adata = tissue_object(picture=False)
    adata.uns["spatial"]["V1"]["images"]["hires"] = picture
    return adata


@pytest.fixture(scope="module")
def rgb() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)


def test_the_slide_is_the_picture_at_its_own_scale_and_how_coarse_it_is_is_said(tmp_path: Path, rgb: Any) -> None:
    section = read(tmp_path, with_picture(rgb))
    slide = section.slide
    assert slide
    assert (slide.path, slide.scale) == (tmp_path / "S1.h5ad", 0.25)
    assert slide.um_per_px == pytest.approx(4.0)
    np.testing.assert_array_equal(slide.pixels, rgb)
    coarse = "the object's hires image has 4 um/px, so a 112 um patch is 28 px wide"
    remedy = "--image FILE gives the full-resolution one"
    assert section.notes == (f"the full-resolution image was not given; {coarse}; {remedy}",)


def test_the_original_image_is_named_and_not_opened(tmp_path: Path, rgb: Any) -> None:
    adata = with_picture(rgb)
    adata.uns["spatial"]["V1"]["metadata"]["source_image_path"] = "/data/slides/V1.tif"
    assert read(tmp_path, adata).notes[0].endswith("full-resolution one (/data/slides/V1.tif)")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_pictures_in_floats_are_8_bit_again(tmp_path: Path, rgb: Any, dtype: str) -> None:
    slide = read(tmp_path, with_picture((rgb / 255).astype(dtype))).slide
    assert slide
    np.testing.assert_array_equal(slide.pixels, rgb)


@pytest.mark.parametrize("most", [255, 1])
def test_what_is_transparent_is_glass(tmp_path: Path, rgb: Any, most: int) -> None:
    alpha = np.repeat([[[0], [128], [255], [255]]], 50, axis=1).reshape(1, 200, 1).repeat(300, axis=0)
    rgba = np.concatenate([rgb, alpha.astype(np.uint8)], axis=2)
    slide = read(tmp_path, with_picture(rgba if most == 255 else rgba / 255)).slide
    assert slide
    shown = np.array(Image.alpha_composite(Image.new("RGBA", (200, 300), "white"), Image.fromarray(rgba)))[..., :3]
    assert np.abs(slide.pixels.astype(int) - shown).max() <= 1


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda rgb: rgb[..., 0], "the image 'hires' of {} is 300 x 200, RGB or RGBA was wanted"),
        (lambda rgb: rgb[..., :1], "the image 'hires' of {} is 300 x 200 x 1, RGB or RGBA was wanted"),
        (
            lambda rgb: rgb.astype(np.uint16) * 257,
            "the image 'hires' of {} has uint16 values up to 65535: 8-bit, or floats from 0 to 1, were wanted",
        ),
        (
            lambda rgb: rgb.astype(np.float32),
            "the image 'hires' of {} has float32 values up to 255: 8-bit, or floats from 0 to 1, were wanted",
        ),
    ],
)
def test_pictures_that_are_no_8_bit_colour_are_refused_by_name(
    tmp_path: Path, rgb: Any, spoil: Any, sentence: str
) -> None:
    with pytest.raises(ImageError) as caught:
        read(tmp_path, with_picture(spoil(rgb)))
    assert str(caught.value) == sentence.format(tmp_path / "S1.h5ad")
    assert caught.value.hint == INSTEAD


def test_the_finest_picture_is_taken_unless_another_is_named(tmp_path: Path, rgb: Any) -> None:
    adata = with_picture(rgb)
    library = adata.uns["spatial"]["V1"]
    library["images"]["lowres"] = rgb[::2, ::2]
    library["scalefactors"]["tissue_lowres_scalef"] = 0.125
    for name, scale in {"": 0.25, "hires": 0.25, "lowres": 0.125}.items():
        slide = read(tmp_path, adata, name).slide
        assert slide
        assert slide.scale == scale
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, adata, "fullres")
    assert str(caught.value) == f"{tmp_path / 'S1.h5ad'} has no image 'fullres', but hires, lowres"


def test_a_picture_of_unknown_scale_is_refused_until_the_user_says_it(tmp_path: Path, rgb: Any) -> None:
    adata = with_picture(rgb)
    del adata.uns["spatial"]["V1"]["scalefactors"]["tissue_hires_scalef"]
    with pytest.raises(ImageError) as caught:
        read(tmp_path, adata)
    assert str(caught.value) == (
        f"{tmp_path / 'S1.h5ad'} does not say the scale of its image 'hires' (tissue_hires_scalef)"
    )
    assert caught.value.hint == f"--image-scale X, image px per full-resolution px; {INSTEAD}"
    slide = read(tmp_path, adata, image_scale=0.5).slide
    assert slide
    assert (slide.scale, slide.um_per_px) == (0.5, pytest.approx(2.0))


@pytest.mark.parametrize("times", [4.0, 2.0])
def test_a_given_image_has_the_scale_its_size_tells(tmp_path: Path, rgb: Any, times: float) -> None:
    file = tmp_path / "V1.png"
    Image.new("RGB", (int(200 * times), int(300 * times) + 1)).save(file)
    section = read(tmp_path, with_picture(rgb), image=file)
    assert section.slide
    assert section.slide.scale == pytest.approx(times / 4, rel=0.003)
    assert section.slide.um_per_px == pytest.approx(4 / times, rel=0.003)
    assert section.notes == (() if times == 4 else ("V1.png has 0.5008 of the resolution of the positions",))


def test_the_image_of_another_section_is_refused_until_its_scale_is_said(tmp_path: Path, rgb: Any) -> None:
    file = tmp_path / "V2.png"
    Image.new("RGB", (1000, 1000)).save(file)
    with pytest.raises(GeometryError) as caught:
        read(tmp_path, with_picture(rgb), image=file)
    assert str(caught.value) == (
        f"{file} is 1000 x 1000 px, the positions of {tmp_path / 'S1.h5ad'} are for an image of about 800 x 1200 px: "
        "these are not the same picture"
    )
    assert "--image-scale X" in caught.value.hint
    assert read(tmp_path, with_picture(rgb), image=file, image_scale=1.0).slide


def test_an_image_the_user_gives_is_the_slide(tmp_path: Path, rgb: Any) -> None:
    file = tmp_path / "V1.png"
    Image.fromarray(rgb).save(file)
    section = read(tmp_path, with_picture(rgb), image=file, image_scale=0.5)
    assert section.slide
    assert (section.slide.path, section.slide.scale, section.slide.pixels) == (file, 0.5, None)
    assert section.slide.um_per_px == pytest.approx(2.0)
    assert [source.path for source in section.sources] == [tmp_path / "S1.h5ad", file]
    assert section.notes == ()
    with pytest.raises(MissingFile, match=r"the image .*none\.png does not exist"):
        read(tmp_path, with_picture(rgb), image=tmp_path / "none.png")


def test_an_object_without_a_picture_says_so_unless_none_is_wanted(tmp_path: Path, rgb: Any) -> None:
    section = read(tmp_path, tissue_object(picture=False))
    assert section.slide is None
    assert section.notes == ("no image was found; --image FILE gives one",)
    section = read(tmp_path, with_picture(rgb), with_image=False)
    assert section.slide is None
    assert section.notes == ()
    assert [source.role for source in section.sources] == ["counts"]


def test_pictures_of_one_file_are_told_apart_by_their_checksums(tmp_path: Path, rgb: Any) -> None:
    first, second = (read(tmp_path, with_picture(picture)).sources[1].sha256 for picture in (rgb, rgb[::-1]))
    assert first != second
