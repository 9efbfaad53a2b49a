"""Polygons on slides that viewers crop are read in px of what viewers show, or of the whole frame if they fit there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles.labelled import SIDE, Grid, annotation, attach, box, collection, labels, remarks
from bundles.scanners import LeicaArea, write_dicom, write_scn

from spacrd_core.images.bounds import viewer_bounds
from spacrd_core.section.section import Section, SlideFile

pytest.importorskip("openslide", reason="openslide is an extra")

# The scanned part holds the spots at x 250 to 850 and y 350 to 950 of the whole frame.
LEFT, TOP, WIDTH, HEIGHT = 192, 256, 768, 768
ROW = ["cancer", "cancer", "normal", "normal"]


def section_on_scn(folder: Path, *, scale: float = 1.0) -> Section:
    path = folder / "slide.scn"
    pixels = np.full((HEIGHT, WIDTH, 3), 200, dtype=np.uint8)
    write_scn(path, [LeicaArea(pixels, LEFT, TOP)], size=(1600, 1280))
    section = Grid().section()
    obs = section.counts.obs
    obs[["x_px", "y_px"]] /= scale
    return replace(section, slide=SlideFile(path, section.um_per_px / scale, scale))


def draw(folder: Path, section: Section, *boxes: tuple[float, float, float, float]) -> Section:
    words = ("Tumor", "Stroma")
    features = [annotation(box(*corners), word) for corners, word in zip(boxes, words, strict=False)]
    return attach(folder / "regions.geojson", collection(*features), section)


def in_crop(corners: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = corners
    return left - LEFT, top - TOP, right - LEFT, bottom - TOP


CANCER, NORMAL = (200, 270, 550, 1000), (550, 270, 950, 1000)


def test_polygons_drawn_on_what_viewers_show_are_moved_to_the_whole_frame(tmp_path: Path) -> None:
    after = draw(tmp_path, section_on_scn(tmp_path), in_crop(CANCER), in_crop(NORMAL))
    assert labels(after) == ROW * SIDE
    (note,) = remarks(after)
    assert "px of the scanned part of slide.scn, which viewers show" in note
    assert "(16 spots in them), not of the whole frame of slide.scn" in note


def test_polygons_drawn_on_the_whole_frame_are_read_as_such(tmp_path: Path) -> None:
    after = draw(tmp_path, section_on_scn(tmp_path), CANCER, NORMAL)
    assert labels(after) == ROW * SIDE
    assert "polygons were read in px of the whole frame of slide.scn (16 spots in them)" in remarks(after)[0]


def test_in_doubt_they_were_drawn_on_what_viewers_show(tmp_path: Path) -> None:
    small = (240, 340, 460, 560)  # four spots; read on the whole frame, it would be on glass of the scanned part
    after = draw(tmp_path, section_on_scn(tmp_path), in_crop(small))
    assert labels(after).count("cancer") == 4
    assert labels(after)[:2] == ["cancer", "cancer"]


def test_the_crop_counts_in_px_of_the_image_where_that_is_coarser_than_the_positions(tmp_path: Path) -> None:
    after = draw(tmp_path, section_on_scn(tmp_path, scale=0.5), in_crop(CANCER), in_crop(NORMAL))
    assert labels(after) == ROW * SIDE


def test_the_bounds_are_those_of_the_scanned_part(tmp_path: Path) -> None:
    bounds = viewer_bounds(section_on_scn(tmp_path).slide)  # type: ignore[arg-type]
    assert bounds is not None
    assert bounds == pytest.approx((LEFT, TOP, WIDTH, HEIGHT), abs=1)


def test_a_slide_without_bounds_is_shown_as_a_whole(tmp_path: Path) -> None:
    write_dicom(tmp_path / "slide.dcm", np.full((256, 320, 3), 200, dtype=np.uint8))
    assert viewer_bounds(SlideFile(tmp_path / "slide.dcm", 0.5)) is None
