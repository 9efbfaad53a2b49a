"""Recognising H&E images by their names."""

from pathlib import Path

import pytest

from spacrd_readers.tenx.pictures import find_originals, find_previews

ORIGINALS = [
    "image.tif",
    "V1_Breast_image.tif",
    "A_tissue_image.btf",
    "A_tissue_image.ome.tif",
    "A-image.JPG",
    "B_image.svs",
]
OTHERS = [
    *("tissue_hires_image.png", "A_tissue_lowres_image.png", "cytassist_image.tiff", "A_cytassist_image.tiff"),
    *("detected_tissue_image.jpg", "aligned_fiducials.jpg", "aligned_tissue_image.jpg", "A_if_image.tif"),
    *("A_fluorescence_image.tif", "._A_image.tif", "image.json", "myimage.tif", "A_image.tif.gz"),
]


@pytest.mark.parametrize("name", ORIGINALS)
def test_a_file_named_like_the_image_of_a_run_may_be_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert find_originals([tmp_path, tmp_path, tmp_path / "absent"]) == [tmp_path / name]


@pytest.mark.parametrize("name", OTHERS)
def test_pictures_that_are_drawn_on_fluorescent_or_of_the_cytassist_are_not_h_and_e(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert find_originals([tmp_path]) == []


def test_small_pictures_are_found_with_the_prefix_of_the_section_and_without(tmp_path: Path) -> None:
    for name in ("tissue_hires_image.png", "A_tissue_hires_image.png", "B_tissue_lowres_image.png"):
        (tmp_path / name).touch()
    assert find_previews(tmp_path, "A_") == {"hires": tmp_path / "A_tissue_hires_image.png"}
    assert find_previews(tmp_path) == {"hires": tmp_path / "tissue_hires_image.png"}
    assert find_previews(tmp_path, "B_") == {
        "hires": tmp_path / "tissue_hires_image.png",
        "lowres": tmp_path / "B_tissue_lowres_image.png",
    }


def test_a_packed_picture_is_found_where_there_is_not_other(tmp_path: Path) -> None:
    (tmp_path / "tissue_hires_image.png.gz").touch()
    assert find_previews(tmp_path) == {"hires": tmp_path / "tissue_hires_image.png.gz"}
    (tmp_path / "tissue_hires_image.png").touch()
    assert find_previews(tmp_path) == {"hires": tmp_path / "tissue_hires_image.png"}
