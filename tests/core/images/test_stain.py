"""Fluorescence and grey images are told from H&E, on white, on black and in a dark holder."""

from pathlib import Path

import numpy as np
import pytest
from bundles.tissue import Pose, Tissue
from PIL import Image

from spacrd_core.arrays import Array
from spacrd_core.images.sample import ImageSample, sample_image
from spacrd_core.images.stain import stain_error, stain_notes

TISSUE = Tissue(size_um=(900.0, 700.0), square_um=(200.0, 150.0, 500.0, 500.0))
SLIDE = TISSUE.picture(Pose(2.0))
GLASS = SLIDE.min(axis=2) > 235
DENSITY = 255.0 - SLIDE.mean(axis=2)


def sample(folder: Path, pixels: Array) -> ImageSample:
    Image.fromarray(pixels.astype(np.uint8)).save(folder / "slide.png", compress_level=1)
    return sample_image(folder / "slide.png")


def one_dye() -> Array:
    return np.dstack([np.zeros_like(DENSITY), np.zeros_like(DENSITY), np.where(GLASS, 0, DENSITY)])


def three_dyes() -> Array:
    light = np.where(GLASS, 0, DENSITY)
    return np.dstack([np.roll(light, 60, 1) * 0.3, np.roll(light, 50, 0) * 0.9, light]) + 6


@pytest.mark.parametrize(
    "pixels", [one_dye(), three_dyes(), 255 - SLIDE], ids=["one dye", "three dyes", "inverted colours"]
)
def test_light_on_a_dark_ground_is_refused(tmp_path: Path, pixels: Array) -> None:
    error = stain_error(sample(tmp_path, pixels), "slide.png")
    assert error is not None
    assert "slide.png shows light on a dark ground" in str(error)
    assert "--image FILE" in error.hint
    assert "--no-image" in error.hint


def test_a_grey_image_is_refused(tmp_path: Path) -> None:
    error = stain_error(sample(tmp_path, np.dstack([SLIDE.mean(axis=2)] * 3)), "slide.png")
    assert error is not None
    assert "slide.png is grey" in str(error)
    assert "--no-image" in error.hint


def in_a_dark_holder() -> Array:
    framed = np.full((SLIDE.shape[0] + 120, SLIDE.shape[1] + 120, 3), 30, dtype=np.uint8)
    framed[60:-60, 60:-60] = SLIDE
    return framed


@pytest.mark.parametrize(
    "pixels",
    [
        SLIDE,
        np.where(GLASS[..., None], 0, SLIDE),
        np.where(GLASS[..., None], 0, 255 * (SLIDE / 255.0) ** 1.6 * (0.85, 0.95, 1.0)),
        in_a_dark_holder(),
        np.full_like(SLIDE, 250),
        np.full_like(SLIDE, 0),
    ],
    ids=["on white", "on black", "on black, dark stain", "in a dark holder", "blank", "black"],
)
def test_h_and_e_is_not_refused(tmp_path: Path, pixels: Array) -> None:
    shown = sample(tmp_path, pixels)
    assert stain_error(shown, "slide.png") is None
    assert stain_notes(shown, "slide.png") == ()


def test_a_doubtful_dark_image_gets_a_note(tmp_path: Path) -> None:
    doubtful = np.where(GLASS[..., None], 0, SLIDE)
    third = doubtful.shape[1] * 2 // 5
    doubtful[:, :third] = one_dye()[:, :third]
    shown = sample(tmp_path, doubtful)
    assert stain_error(shown, "slide.png") is None
    assert stain_notes(shown, "slide.png") == ("slide.png has a dark ground: is it an H&E?",)
