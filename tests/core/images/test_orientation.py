"""A slide that is turned or mirrored against the platform's own picture is refused with the turn that fits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bundles.tissue import Pose, Tissue
from PIL import Image, ImageFilter

from spacrd_core.arrays import Array
from spacrd_core.errors import GeometryError
from spacrd_core.images.orientation import AS_IT_IS, TURNS, Orientation, find_orientation, refuse_exchanged_sides
from spacrd_core.images.sample import sample_image
from spacrd_core.section.section import SlideFile

TISSUE = Tissue(size_um=(1500.0, 1100.0), square_um=(200.0, 150.0, 700.0, 500.0))
INVERSES = {
    "turned by 90 degrees clockwise": "turned by 90 degrees counterclockwise",
    "turned by 90 degrees counterclockwise": "turned by 90 degrees clockwise",
}
OBLONG, SQUARE = TISSUE.picture(Pose(2.0)), TISSUE.picture(Pose(2.0))[:600, :600]


def turned(pixels: Array, turn: str) -> Array:
    return np.ascontiguousarray(np.dstack([TURNS[turn](channel) for channel in np.moveaxis(pixels, -1, 0)]))


def save(path: Path, pixels: Array) -> Path:
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


def compare(folder: Path, shown: Array, expected: Array, *, scale: float = 1.0) -> Orientation | None:
    """Compare a slide with a picture of half the resolution."""
    picture = SlideFile(save(folder / "hires.png", expected[::2, ::2]), 4.0, 0.5)
    slide = SlideFile(save(folder / "slide.png", shown), 2.0 / scale, scale, pictures=(picture,))
    return find_orientation(slide, sample_image(slide))


@pytest.mark.parametrize("turn", TURNS)
def test_each_of_the_eight_turns_of_a_square_slide_is_found(tmp_path: Path, turn: str) -> None:
    found = compare(tmp_path, turned(SQUARE, turn), SQUARE)
    assert found is not None
    assert found.turn == INVERSES.get(turn, turn)
    assert found.is_turned == (turn != AS_IT_IS)
    if turn == AS_IT_IS:
        assert found.note == ""
    else:
        assert found.turn in str(found.error)
        assert found.turn in found.error.hint


@pytest.mark.parametrize("turn", list(TURNS)[:4])
def test_an_oblong_slide_of_the_same_sides_is_compared_in_the_turns_that_keep_them(tmp_path: Path, turn: str) -> None:
    found = compare(tmp_path, turned(OBLONG, turn), OBLONG)
    assert found is not None
    assert (found.turn, found.is_turned) == (turn, turn != AS_IT_IS)


@pytest.mark.parametrize("turn", list(TURNS)[4:])
def test_exchanged_sides_are_refused_with_the_turn_that_fits(tmp_path: Path, turn: str) -> None:
    picture = SlideFile(save(tmp_path / "hires.png", OBLONG[::2, ::2]), 4.0, 0.5)
    slide = SlideFile(save(tmp_path / "slide.png", turned(OBLONG, turn)), 2.0, pictures=(picture,))
    with pytest.raises(GeometryError) as caught:
        refuse_exchanged_sides(slide)
    assert INVERSES.get(turn, turn) in str(caught.value)
    assert "is 700 x 900 px, but the positions are for an image of about 900 x 700 px" in str(caught.value)


def test_exchanged_sides_of_another_image_are_left_to_the_reader(tmp_path: Path) -> None:
    other = np.random.default_rng(1).integers(0, 255, (900, 700, 3), dtype=np.uint8)
    picture = SlideFile(save(tmp_path / "hires.png", OBLONG[::2, ::2]), 4.0, 0.5)
    refuse_exchanged_sides(SlideFile(save(tmp_path / "slide.png", other), 2.0, pictures=(picture,)))


def restained(pixels: Array) -> Array:
    return (255 * (pixels / 255.0) ** 1.8 * (0.7, 1.0, 0.8)).astype(np.uint8)


def bordered(pixels: Array) -> Array:
    copy = pixels.copy()
    copy[:60], copy[:, :90] = 255, 255
    return copy


def penned(pixels: Array) -> Array:
    copy = pixels.copy()
    copy[200:230] = (0, 90, 30)
    return copy


def blurred(pixels: Array) -> Array:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(9)))


def shifted(pixels: Array) -> Array:
    return np.roll(pixels, (20, 25), (0, 1))


@pytest.mark.parametrize("change", [restained, bordered, penned, blurred, shifted], ids=lambda change: change.__name__)
def test_a_slide_that_lies_right_is_not_refused_however_it_looks(
    tmp_path: Path, change: Callable[[Array], Array]
) -> None:
    found = compare(tmp_path, change(SQUARE), SQUARE)
    assert found is not None
    assert not found.is_turned


def test_a_slide_of_another_resolution_is_compared_in_the_frame_of_the_positions(tmp_path: Path) -> None:
    found = compare(tmp_path, np.ascontiguousarray(SQUARE[::3, ::3]), SQUARE, scale=1 / 3)
    assert found is not None
    assert (found.turn, found.is_turned) == (AS_IT_IS, False)


def test_a_slide_of_other_tissue_gets_a_note_and_no_turn(tmp_path: Path) -> None:
    other = np.random.default_rng(1).integers(0, 255, SQUARE.shape, dtype=np.uint8)
    found = compare(tmp_path, other, SQUARE)
    assert found is not None
    assert not found.is_turned
    assert "does not resemble" in found.note
    assert "is it the image of this section?" in found.note


@pytest.mark.parametrize("contents", ["blank", "fluorescence"])
def test_a_picture_that_cannot_tell_gives_way_to_the_next(tmp_path: Path, contents: str) -> None:
    useless = np.full_like(SQUARE, 0) if contents == "blank" else 255 - SQUARE
    pictures = tuple(
        SlideFile(save(tmp_path / f"{number}.png", pixels[::2, ::2]), 4.0, 0.5)
        for number, pixels in enumerate([useless, SQUARE])
    )
    path = save(tmp_path / "slide.png", turned(SQUARE, "mirrored left to right"))
    slide = SlideFile(path, 2.0, pictures=pictures)
    found = find_orientation(slide, sample_image(slide))
    assert found is not None
    assert (found.picture, found.turn) == (str(pictures[1].path), "mirrored left to right")
    alone = SlideFile(path, 2.0, pictures=pictures[:1])
    assert find_orientation(alone, sample_image(alone)) is None
