"""The stored image of an AnnData file as a slide, and images that are refused."""

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from bundles.anndata_file import tissue_object, write_anndata
from numpy.typing import NDArray
from PIL import Image

from spacrd_core.errors import ConfigError, GeometryError, ImageError, MissingFile
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData


def read(tmp_path: Path, adata: ad.AnnData, picture: str = "", **inputs: Any) -> Section:
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    return AnnData(AnnData.Options(image=picture)).read(path, ImageInputs(**inputs))


def with_picture(picture: Any) -> ad.AnnData:
    """Return the spots on a hires image of 200 x 300 px, with the image."""
    adata = tissue_object(picture=False)
    adata = adata[(adata.obsm["spatial"] < [800, 1200]).all(axis=1)].copy()
    adata.uns["spatial"]["V1"]["images"]["hires"] = picture
    return adata


@pytest.fixture(scope="module")
def rgb() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)


def test_the_slide_is_the_stored_image_at_its_own_scale_and_its_resolution_is_reported(
    tmp_path: Path, rgb: Any
) -> None:
    section = read(tmp_path, with_picture(rgb))
    slide = section.slide
    assert slide
    assert (slide.path, slide.scale) == (tmp_path / "S1.h5ad", 0.25)
    assert slide.um_per_px == pytest.approx(4.0)
    np.testing.assert_array_equal(slide.pixels, rgb)
    (note,) = section.notes
    assert "hires image has 4 um/px, so a 112 um patch is 28 px wide" in note
    assert "--image FILE" in note


def test_the_original_image_is_named_and_not_opened(tmp_path: Path, rgb: Any) -> None:
    adata = with_picture(rgb)
    adata.uns["spatial"]["V1"]["metadata"]["source_image_path"] = "/data/slides/V1.tif"
    assert read(tmp_path, adata).notes[0].endswith("(/data/slides/V1.tif)")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_pictures_in_floats_are_8_bit_again(tmp_path: Path, rgb: Any, dtype: str) -> None:
    slide = read(tmp_path, with_picture((rgb / 255).astype(dtype))).slide
    assert slide
    np.testing.assert_array_equal(slide.pixels, rgb)


@pytest.mark.parametrize("most", [255, 1])
def test_transparent_pixels_become_white(tmp_path: Path, rgb: Any, most: int) -> None:
    alpha = np.repeat([[[0], [128], [255], [255]]], 50, axis=1).reshape(1, 200, 1).repeat(300, axis=0)
    rgba = np.concatenate([rgb, alpha.astype(np.uint8)], axis=2)
    slide = read(tmp_path, with_picture(rgba if most == 255 else rgba / 255)).slide
    assert slide
    assert isinstance(slide.pixels, np.ndarray)
    shown = np.array(Image.alpha_composite(Image.new("RGBA", (200, 300), "white"), Image.fromarray(rgba)))[..., :3]
    assert np.abs(slide.pixels.astype(int) - shown).max() <= 1


@pytest.mark.parametrize(
    ("spoil", "phrase"),
    [
        (lambda rgb: rgb[..., 0], "has shape 300 x 200,"),
        (lambda rgb: rgb[..., :1], "has shape 300 x 200 x 1,"),
        (lambda rgb: rgb.astype(np.uint16) * 257, "has uint16 values up to 65535"),
        (lambda rgb: rgb.astype(np.float32), "has float32 values up to 255"),
    ],
)
def test_images_that_are_not_8_bit_colour_are_refused_by_name(
    tmp_path: Path, rgb: Any, spoil: Any, phrase: str
) -> None:
    with pytest.raises(ImageError) as caught:
        read(tmp_path, with_picture(spoil(rgb)))
    assert f"the image 'hires' of {tmp_path / 'S1.h5ad'} {phrase}" in str(caught.value)
    assert "--no-image" in caught.value.hint


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
    assert f"{tmp_path / 'S1.h5ad'} has no image 'fullres'" in str(caught.value)
    assert "hires, lowres" in str(caught.value)


def test_an_image_of_unknown_scale_is_refused_unless_the_user_gives_it(tmp_path: Path, rgb: Any) -> None:
    adata = with_picture(rgb)
    del adata.uns["spatial"]["V1"]["scalefactors"]["tissue_hires_scalef"]
    with pytest.raises(ImageError) as caught:
        read(tmp_path, adata)
    assert f"no image of {tmp_path / 'S1.h5ad'} fits its positions" in str(caught.value)
    assert "'hires': its scale is unknown (tissue_hires_scalef)" in str(caught.value)
    assert "--image-scale X" in caught.value.hint
    slide = read(tmp_path, adata, image_scale=0.5).slide
    assert slide
    assert slide.scale == 0.5
    assert slide.um_per_px == pytest.approx(2.0)


@pytest.mark.parametrize("times", [4.0, 2.0])
def test_a_given_image_gets_its_scale_from_its_size(tmp_path: Path, rgb: Any, times: float) -> None:
    file = tmp_path / "V1.png"
    Image.new("RGB", (int(200 * times), int(300 * times) + 1)).save(file)
    section = read(tmp_path, with_picture(rgb), image=file)
    assert section.slide
    assert section.slide.scale == pytest.approx(times / 4, rel=0.003)
    assert section.slide.um_per_px == pytest.approx(4 / times, rel=0.003)
    assert [note.partition(" times")[0] for note in section.notes] == ([] if times == 4 else ["V1.png has 0.5008"])


def test_the_image_of_another_section_is_refused_unless_its_scale_is_given(tmp_path: Path, rgb: Any) -> None:
    file = tmp_path / "V2.png"
    Image.new("RGB", (1000, 1000)).save(file)
    with pytest.raises(GeometryError) as caught:
        read(tmp_path, with_picture(rgb), image=file)
    assert f"{file} is 1000 x 1000 px" in str(caught.value)
    assert f"the positions of {tmp_path / 'S1.h5ad'} are for an image of about 800 x 1200 px" in str(caught.value)
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


def test_a_file_without_an_image_is_noted_unless_no_image_is_requested(tmp_path: Path, rgb: Any) -> None:
    section = read(tmp_path, tissue_object(picture=False))
    assert section.slide is None
    (note,) = section.notes
    assert "no image was found" in note
    section = read(tmp_path, with_picture(rgb), with_image=False)
    assert section.slide is None
    assert section.notes == ()
    assert [source.role for source in section.sources] == ["counts"]


def test_images_of_one_file_have_different_checksums(tmp_path: Path, rgb: Any) -> None:
    first, second = (read(tmp_path, with_picture(picture)).sources[1].sha256 for picture in (rgb, rgb[::-1]))
    assert first != second
