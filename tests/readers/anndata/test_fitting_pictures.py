"""Stored images count only if the positions refer to them; the finest of those is the slide."""

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from bundles.anndata_file import tissue_object, write_anndata
from numpy.typing import NDArray
from PIL import Image

from spacrd_core.errors import ConfigError, GeometryError, ImageError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData

WIDTH, HEIGHT = 3300, 2700  # px of the full-resolution image, which holds all spots
CROP = 150  # px between the outermost spots and the edge of a cropped image


def read(tmp_path: Path, adata: ad.AnnData, picture: str = "", **inputs: Any) -> Section:
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    return AnnData(AnnData.Options(image=picture)).read(path, ImageInputs(**inputs))


def shade(width: float, height: float) -> NDArray[np.uint8]:
    return np.full((round(height), round(width), 3), 200, dtype=np.uint8)


def with_pictures(scales: dict[str, float], **sizes: tuple[float, float]) -> ad.AnnData:
    """Return the spots with an image of each scale (0: not stated); ``sizes`` are px of those that show other areas."""
    adata = tissue_object(picture=False)
    library = adata.uns["spatial"]["V1"]
    library["scalefactors"] = {f"tissue_{name}_scalef": scale for name, scale in scales.items() if scale}
    for name, scale in scales.items():
        library["images"][name] = shade(*sizes.get(name, (WIDTH * scale, HEIGHT * scale)))
    return adata


def cropped() -> ad.AnnData:
    """Return the spots with previews and a finer image of the tissue only, as bin2cell adds it."""
    adata = with_pictures({"hires": 0.1, "lowres": 0.03})
    library, positions = adata.uns["spatial"]["V1"], adata.obsm["spatial"]
    corner = positions.min(axis=0) - CROP
    width, height = (positions.max(axis=0) + CROP - corner) * 0.2
    library["images"]["0.5_mpp_150_buffer"] = shade(width, height)
    library["scalefactors"]["tissue_0.5_mpp_150_buffer_scalef"] = 0.2
    adata.obsm["spatial_cropped_150_buffer"] = positions - corner
    return adata


def chosen(section: Section) -> tuple[float, tuple[int, ...]]:
    assert section.slide
    assert section.slide.pixels is not None
    return section.slide.scale, section.slide.pixels.shape[:2]


def test_the_finest_image_is_that_of_the_largest_scale_not_of_the_most_pixels(tmp_path: Path) -> None:
    adata = with_pictures({"hires": 0.1, "lowres": 0.05, "tall": 0.02}, tall=(10, 4000))
    section = read(tmp_path, adata)
    assert chosen(section) == (0.1, (270, 330))
    assert section.notes[-1].startswith("stored images that were not used: 'tall': ")


def test_a_section_with_a_low_resolution_image_only_has_that_one(tmp_path: Path) -> None:
    section = read(tmp_path, with_pictures({"lowres": 0.03}))
    assert chosen(section)[0] == 0.03
    (note,) = section.notes
    assert "the stored lowres image has 33.3 um/px" in note


@pytest.mark.parametrize("name", ["fullres", "fulres"])
def test_the_image_named_fullres_has_full_resolution_and_is_no_preview(tmp_path: Path, name: str) -> None:
    adata = with_pictures({"hires": 0.1, name: 0}, **{name: (WIDTH, HEIGHT)})
    section = read(tmp_path, adata)
    assert chosen(section) == (1.0, (HEIGHT, WIDTH))
    assert section.slide
    assert not section.slide.preview
    assert section.notes == (f"the stored {name} image was used as the full-resolution image",)


def test_an_image_named_fullres_that_is_smaller_than_its_spots_is_not_used(tmp_path: Path) -> None:
    section = read(tmp_path, with_pictures({"hires": 0.1, "fullres": 0}, fullres=(330, 270)))
    assert chosen(section)[0] == 0.1
    assert "'fullres': 100% of the spots are outside it" in section.notes[-1]


def test_a_cropped_image_is_not_used_with_positions_on_the_whole_image(tmp_path: Path) -> None:
    section = read(tmp_path, cropped())
    assert chosen(section) == (0.1, (270, 330))
    assert "'0.5_mpp_150_buffer': its positions are obsm['spatial_cropped_150_buffer']" in section.notes[-1]


def test_a_cropped_image_named_by_the_user_comes_with_its_positions(tmp_path: Path) -> None:
    adata = cropped()
    section = read(tmp_path, adata, "0.5_mpp_150_buffer")
    assert chosen(section)[0] == 0.2
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]], adata.obsm["spatial_cropped_150_buffer"])
    assert section.um_per_px == pytest.approx(1.0)
    assert section.notes[0].startswith("positions are obsm['spatial_cropped_150_buffer']")


def test_a_cropped_image_without_positions_of_its_own_is_not_used(tmp_path: Path) -> None:
    adata = cropped()
    del adata.obsm["spatial_cropped_150_buffer"]
    section = read(tmp_path, adata)
    assert chosen(section)[0] == 0.1
    assert "'0.5_mpp_150_buffer': it shows another area than 'hires'" in section.notes[-1]
    with pytest.raises(ImageError) as caught:
        read(tmp_path, adata, "0.5_mpp_150_buffer")
    assert "do not fit its image '0.5_mpp_150_buffer': it shows another area" in str(caught.value)
    assert "--image-scale" in caught.value.hint


def test_two_crops_that_agree_do_not_outvote_the_whole_image(tmp_path: Path) -> None:
    crops = {"a": (1700.0, 1360.0), "b": (850.0, 680.0)}
    section = read(tmp_path, with_pictures({"hires": 0.1, "a": 0.5, "b": 0.25}, **crops))
    assert chosen(section)[0] == 0.1


def test_whole_images_of_different_areas_are_refused_with_their_sizes(tmp_path: Path) -> None:
    adata = with_pictures({"hires": 0.1, "lowres": 0.03}, hires=(500, 400))
    with pytest.raises(ImageError) as caught:
        read(tmp_path, adata)
    assert "different areas by their sizes and scales: 'hires' 5000 x 4000" in str(caught.value)
    assert "--set reader.image=NAME" in caught.value.hint
    assert chosen(read(tmp_path, adata, "lowres", image_scale=0.03))[0] == 0.03


def test_an_image_without_the_spots_is_refused_unless_the_user_gives_its_scale(tmp_path: Path) -> None:
    adata = with_pictures({"hires": 0.1}, hires=(100, 100))
    with pytest.raises(ImageError, match=r"'hires': \d+% of the spots are outside it"):
        read(tmp_path, adata)
    assert chosen(read(tmp_path, adata, image_scale=0.03))[0] == 0.03
    assert read(tmp_path, adata, with_image=False).slide is None


def test_a_given_scale_is_that_of_the_image_whose_scale_is_unknown(tmp_path: Path) -> None:
    adata = with_pictures({"hires": 0.1, "mine": 0}, mine=(660, 540))
    section = read(tmp_path, adata)
    assert chosen(section)[0] == 0.1
    assert "'mine': its scale is unknown (tissue_mine_scalef)" in section.notes[-1]
    assert chosen(read(tmp_path, adata, image_scale=0.2)) == (0.2, (540, 660))
    adata.uns["spatial"]["V1"]["images"]["other"] = shade(33, 27)
    with pytest.raises(ConfigError, match=r"several images of unknown scale \(mine, other\)"):
        read(tmp_path, adata, image_scale=0.2)


def test_a_given_scale_selects_the_stored_image_that_has_it(tmp_path: Path) -> None:
    adata = with_pictures({"hires": 0.1, "lowres": 0.03})
    assert chosen(read(tmp_path, adata, image_scale=0.03)) == (0.03, (81, 99))


@pytest.mark.parametrize(("size", "scale"), [((WIDTH, HEIGHT), 1.0), ((WIDTH // 2, HEIGHT // 2), 0.5)])
def test_an_image_of_the_user_is_compared_with_an_image_that_fits(
    tmp_path: Path, size: tuple[int, int], scale: float
) -> None:
    Image.new("RGB", size).save(tmp_path / "full.png")
    section = read(tmp_path, cropped(), image=tmp_path / "full.png")
    assert section.slide
    assert section.slide.scale == pytest.approx(scale)


def test_an_image_of_more_than_full_resolution_is_refused_unless_its_scale_is_given(tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    Image.new("RGB", (WIDTH * 3 // 2, HEIGHT * 3 // 2)).save(file)
    adata = with_pictures({"hires": 0.1})
    with pytest.raises(GeometryError) as caught:
        read(tmp_path, adata, image=file)
    assert f"{file} is 4950 x 4050 px" in str(caught.value)
    assert "it would have 1.5 times the full resolution" in str(caught.value)
    section = read(tmp_path, adata, image=file, image_scale=1.5)
    assert section.slide
    assert section.slide.scale == 1.5


def test_an_image_that_nothing_can_be_compared_with_is_assumed_to_have_full_resolution(tmp_path: Path) -> None:
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "full.png")
    section = read(tmp_path, tissue_object(picture=False), image=tmp_path / "full.png")
    assert section.slide
    assert section.slide.scale == 1.0
    (note,) = section.notes
    assert "full.png is assumed to be the full-resolution image" in note
