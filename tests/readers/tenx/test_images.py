"""The slide of a section: the given image, one near the run, or a preview, each at its scale."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spacrd_core.errors import GeometryError, ImageError, MissingFile
from spacrd_core.section.section import ImageInputs, SlideFile
from spacrd_readers.tenx.image_frame import ImageFrame
from spacrd_readers.tenx.images import NO_IMAGE, find_slide
from spacrd_readers.tenx.scalefactors import Scalefactors

WIDTH, HEIGHT = 1203, 801  # of the full-resolution image
FACTORS = Scalefactors(hires=0.5, lowres=0.1)
PX = np.array([[50.0, 40.0], [1150.0, 700.0], [600.0, 400.0]])
UM_PER_PX = 0.5
COARSE = "no full-resolution image was given; {} has {} um/px, so a 112 um patch is {} px wide"


def picture(path: Path, scale: float = 1.0, *, size: tuple[int, int] = (WIDTH, HEIGHT), blank: bool = False) -> Path:
    shown = Image.new("RGB", (round(size[0] * scale), round(size[1] * scale)), "white")
    if not blank:
        shown.putpixel((3, 3), (120, 60, 150))
    shown.save(path, compress_level=1)
    return path


@pytest.fixture
def spatial(tmp_path: Path) -> Path:
    folder = tmp_path / "outs" / "spatial"
    folder.mkdir(parents=True)
    picture(folder / "tissue_hires_image.png", 0.5)
    picture(folder / "tissue_lowres_image.png", 0.1)
    return folder


def bare(spatial: Path) -> Path:
    """Return a spatial folder without pictures."""
    for path in spatial.iterdir():
        path.unlink()
    return spatial


def find(spatial: Path, *, factors: Scalefactors = FACTORS, px: Any = PX, **inputs: Any) -> tuple[Any, tuple[str, ...]]:
    frame = ImageFrame(px, UM_PER_PX, factors, spatial)
    return find_slide(frame, (spatial.parent, spatial.parent.parent), ImageInputs(**inputs))


def refused(spatial: Path, image: Path, **options: Any) -> tuple[str, str]:
    with pytest.raises(GeometryError) as caught:
        find(spatial, image=image, **options)
    return str(caught.value), caught.value.hint


def test_a_given_image_of_the_full_size_is_at_full_resolution(spatial: Path, tmp_path: Path) -> None:
    image = picture(tmp_path / "slide.png")
    assert find(spatial, image=image) == (SlideFile(image, UM_PER_PX, 1.0), ())
    assert find(bare(spatial), image=image) == (SlideFile(image, UM_PER_PX, 1.0), ())


@pytest.mark.parametrize("name", ["detected_tissue_image.jpg", "V1_aligned_fiducials.jpg"])
def test_a_picture_with_marks_drawn_on_is_not_slide(spatial: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError) as caught:
        find(spatial, image=picture(tmp_path / name))
    assert f"{tmp_path / name} has marks drawn by Space Ranger" in str(caught.value)
    assert "--image FILE" in caught.value.hint


@pytest.mark.parametrize("scale", [0.25, 2.0])
def test_a_smaller_or_larger_copy_of_the_image_is_taken_at_its_scale(
    spatial: Path, tmp_path: Path, scale: float
) -> None:
    image = picture(tmp_path / "copy.png", scale)
    slide, notes = find(spatial, image=image)
    assert slide.scale == pytest.approx(scale, rel=2e-3)
    assert slide.um_per_px * slide.scale == pytest.approx(UM_PER_PX)
    assert f"copy.png has {slide.scale:.4f} times the resolution of the positions" in notes[0]


def test_a_preview_given_as_the_image_is_used_at_its_scale_with_a_note(spatial: Path) -> None:
    slide, notes = find(spatial, image=spatial / "tissue_lowres_image.png")
    assert slide.scale == pytest.approx(0.1, rel=5e-3)
    assert notes == (
        f"tissue_lowres_image.png has {slide.scale:.4f} times the resolution of the positions",
        f"tissue_lowres_image.png has {slide.um_per_px:.3g} um/px, so a 112 um patch is 22 px wide",
    )


def test_an_image_of_other_proportions_is_refused_unless_its_scale_is_given(spatial: Path, tmp_path: Path) -> None:
    image = picture(tmp_path / "other.png", size=(1000, 1000))
    message, hint = refused(spatial, image)
    assert f"{image} is 1000 x 1000 px, but the positions are for an image of about 1204 x 800 px" in message
    assert "--image-scale X" in hint
    assert find(spatial, image=image, image_scale=0.8) == (SlideFile(image, UM_PER_PX / 0.8, 0.8), ())


def test_the_cytassists_photograph_is_not_the_microscopes_whatever_its_proportions(
    spatial: Path, tmp_path: Path
) -> None:
    image = picture(tmp_path / "cytassist_image.png", 0.3)
    assert "different images" in refused(spatial, image)[0]


def test_the_cytassists_photograph_is_the_image_where_the_positions_are_for_it(spatial: Path, tmp_path: Path) -> None:
    image = picture(tmp_path / "cytassist_image.png")
    assert find(spatial, image=image)[0] == SlideFile(image, UM_PER_PX, 1.0)
    slide, notes = find(spatial)
    assert slide.path.name == "tissue_hires_image.png"
    assert len(notes) == 1


def test_without_small_pictures_an_image_that_holds_all_spots_at_a_known_scale_has_that(
    spatial: Path, tmp_path: Path
) -> None:
    image = picture(tmp_path / "copy.png", 0.5)
    slide, notes = find(bare(spatial), image=image)
    assert slide.scale == 0.5
    assert len(notes) == 1
    assert "copy.png was assumed to have the scale of the hires image" in notes[0]


def test_without_small_pictures_an_image_that_many_spots_leave_is_refused_with_both_extents(
    spatial: Path, tmp_path: Path
) -> None:
    image = picture(tmp_path / "copy.png", 0.3)
    message, hint = refused(bare(spatial), image, factors=Scalefactors())
    assert f"67% of the spots are outside the image {image} (361 x 240 px)" in message
    assert "they span x 50 to 1150, y 40 to 700" in message
    assert "--image-scale X" in hint


def test_an_image_that_does_not_exist_is_an_error(spatial: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"the image .*absent\.png does not exist"):
        find(spatial, image=tmp_path / "absent.png")


@pytest.mark.parametrize("above", [0, 1])
def test_an_image_of_the_right_size_near_the_run_is_taken_and_reported(spatial: Path, above: int) -> None:
    image = picture(spatial.parents[above] / "S1_tissue_image.png")
    slide, notes = find(spatial)
    assert slide == SlideFile(image, UM_PER_PX, 1.0)
    assert notes == (f"{image} was used as the full-resolution image",)


def test_an_image_of_another_size_near_the_run_is_not_taken(spatial: Path) -> None:
    picture(spatial.parent / "S1_tissue_image.png", size=(1300, 900))
    (spatial.parent / "S2_image.tif").write_bytes(b"no image")
    slide, notes = find(spatial)
    assert slide.path.name == "tissue_hires_image.png"
    assert "size does not match the positions: S1_tissue_image.png, S2_image.tif" in notes[0]


def test_two_images_that_fit_are_not_chosen_between(spatial: Path) -> None:
    for name in ("A_image.png", "B_image.png"):
        picture(spatial.parent / name)
    slide, notes = find(spatial)
    assert slide.path.name == "tissue_hires_image.png"
    assert "2 files may be the full-resolution image (A_image.png, B_image.png)" in notes[0]


def test_without_small_pictures_a_near_image_must_hold_all_spots(spatial: Path) -> None:
    image = picture(spatial.parent / "A_image.png", size=(1300, 900))
    assert find(bare(spatial))[0].path == image
    picture(image, size=(1100, 900))
    slide, notes = find(spatial)
    assert slide is None
    assert notes[-1] == NO_IMAGE


def test_the_hires_picture_is_taken_at_its_own_scale_with_a_warning(spatial: Path) -> None:
    slide, notes = find(spatial)
    assert slide == SlideFile(spatial / "tissue_hires_image.png", 1.0, 0.5, preview=True)
    assert len(notes) == 1
    assert COARSE.format("tissue_hires_image.png", 1, 112) in notes[0]


def test_else_the_lowres_picture_is(spatial: Path) -> None:
    (spatial / "tissue_hires_image.png").unlink()
    slide, notes = find(spatial)
    assert slide == SlideFile(spatial / "tissue_lowres_image.png", 5.0, 0.1, preview=True)
    assert len(notes) == 1
    assert COARSE.format("tissue_lowres_image.png", 5, 22) in notes[0]


def test_a_picture_of_one_colour_shows_nothing(spatial: Path) -> None:
    picture(spatial / "tissue_hires_image.png", 0.5, blank=True)
    slide, notes = find(spatial)
    assert slide.path.name == "tissue_lowres_image.png"
    assert "blank: tissue_hires_image.png" in notes[0]
    picture(spatial / "tissue_lowres_image.png", 0.1, blank=True)
    slide, notes = find(spatial)
    assert slide is None
    assert "blank: tissue_hires_image.png, tissue_lowres_image.png" in notes[0]
    assert notes[1] == NO_IMAGE


def test_a_picture_without_a_scale_needs_one(spatial: Path) -> None:
    with pytest.raises(ImageError) as caught:
        find(spatial, factors=Scalefactors())
    path = spatial / "tissue_hires_image.png"
    assert f"the scale of {path} is unknown" in str(caught.value)
    assert "--image-scale X" in caught.value.hint
    assert find(spatial, factors=Scalefactors(), image_scale=0.4)[0] == SlideFile(
        path, UM_PER_PX / 0.4, 0.4, preview=True
    )


def test_no_picture_is_a_note_and_a_packed_one_can_be_unpacked(spatial: Path) -> None:
    assert find(bare(spatial)) == (None, (NO_IMAGE,))
    (spatial / "tissue_hires_image.png.gz").touch()
    slide, (note,) = find(spatial)
    assert slide is None
    assert note.startswith(NO_IMAGE)
    assert "unpack tissue_hires_image.png.gz" in note


def test_without_image_no_image_is_searched(spatial: Path) -> None:
    assert find(spatial, with_image=False) == (None, ())
