from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from spacrd_core.images.background import WHITENED_NOTE
from spacrd_core.images.raster import open_raster

PINK = (226, 200, 222)


@pytest.fixture
def cut_out(tmp_path: Path) -> Path:
    """Pink tissue pasted on black with a smoothed edge, a pen line round it, and nuclei as dark as ink."""
    picture = Image.new("RGB", (1200, 1000))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((190, 190, 1010, 810), fill=(16, 16, 16))
    draw.ellipse((200, 200, 1000, 800), fill=PINK)
    picture = picture.resize((300, 250), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((150, 120, 152, 122), fill=(5, 3, 8))
    draw.rectangle((225, 0, 299, 40), fill=(235, 215, 230))  # an inset photograph in the corner
    picture.save(tmp_path / "dark.png")
    return tmp_path / "dark.png"


def test_a_blacked_out_background_is_whitened_and_noted(cut_out: Path) -> None:
    with open_raster(cut_out) as raster:
        pixels = raster.rows(0, raster.height)
        assert raster.notes == (WHITENED_NOTE,)
    assert (pixels[:40, :200] == 255).all()
    assert (pixels[-10:] == 255).all()


def test_no_dark_rim_is_left_round_the_tissue(cut_out: Path) -> None:
    with open_raster(cut_out) as raster:
        pixels = raster.rows(0, raster.height)
    pixels[118:125, 148:155] = 255  # the nucleus
    assert pixels.max(axis=2).min() >= 150


def test_dark_nuclei_inside_the_tissue_stay(cut_out: Path) -> None:
    with open_raster(cut_out) as raster:
        assert raster.rows(121, 122)[0, 151].tolist() == [5, 3, 8]


def test_the_result_does_not_depend_on_how_rows_are_divided(cut_out: Path) -> None:
    with open_raster(cut_out) as raster:
        whole = raster.rows(0, raster.height)
        bands = [raster.rows(top, min(top + 7, raster.height)) for top in range(0, raster.height, 7)]
    np.testing.assert_array_equal(np.concatenate(bands), whole)


def test_dark_tissue_on_a_bright_background_is_unchanged(tmp_path: Path) -> None:
    pixels = np.full((60, 60, 3), 240, dtype=np.uint8)
    pixels[:, 10:50] = 0  # a black fold from edge to edge
    Image.fromarray(pixels).save(tmp_path / "fold.png")
    with open_raster(tmp_path / "fold.png") as raster:
        assert raster.notes == ()
        np.testing.assert_array_equal(raster.rows(0, 60), pixels)


@pytest.mark.her2st
@pytest.mark.parametrize("section", ["A1", "A2"])
def test_real_blacked_out_images_are_whitened_up_to_the_tissue(her2st: Path, section: str) -> None:
    with open_raster(her2st / "ST-imgs" / "A" / section / f"{section}_HE_image_dark.png") as raster:
        pixels = raster.rows(0, raster.height)
    assert (pixels[-200:] == 255).all()
    assert (pixels.max(axis=2) <= 24).mean() < 1e-4
    assert (pixels[700:1600, 400:1400].mean(axis=2) < 150).mean() > 0.3, "tissue is kept"
