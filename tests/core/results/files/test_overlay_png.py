import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spacrd_core.results.files.overlay_png import write_overlay
from spacrd_core.results.overlay.style import REGION_COLOUR, UNCERTAIN_COLOUR
from spacrd_core.results.overlay.tissue import draw_tissue
from spacrd_core.results.report.viewport import section_viewport
from spacrd_core.results.result import SectionResult


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(int)


def test_regions_and_uncertain_spots_have_one_colour_in_the_picture_and_in_the_report() -> None:
    templates = resources.files("spacrd_core.results") / "templates"
    script, styles = ((templates / name).read_text(encoding="utf-8") for name in ("draw.js", "page.css"))
    for colour, name in ((REGION_COLOUR, "region"), (UNCERTAIN_COLOUR, "uncertain")):
        assert re.findall(rf'\b{name}: "(.+?)"', script) == [colour]
        assert re.findall(rf"--{name}: (.+?);", styles) == [colour]


@pytest.mark.parametrize("shape", ["disc", "square"])
def test_the_picture_shows_both_ends_of_the_colour_scale_and_the_outline_of_the_region(
    make_result: Callable[..., SectionResult], tmp_path: Path, shape: str
) -> None:
    write_overlay(make_result(thumbnail=None, spot_shape=shape), tmp_path / "s.png")
    red, green, blue = np.moveaxis(pixels(tmp_path / "s.png"), -1, 0)
    assert min(red.shape) > 1000
    outline = (abs(red - 227) < 10) & (abs(green - 18) < 10) & (abs(blue - 11) < 10)
    high = (red > 150) & (green > 180) & (blue < 120)
    low = (red < 130) & (green < 80) & (blue > 100)
    assert min(outline.sum(), high.sum(), low.sum()) > 1000


def test_the_tissue_lies_under_the_spots(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    write_overlay(make_result(side=12), tmp_path / "s.png")
    assert (pixels(tmp_path / "s.png") == [225, 150, 190]).all(axis=-1).mean() > 0.2


@pytest.mark.parametrize("degrees", [0, 45])
def test_squares_of_a_rotated_array_leave_no_gaps(
    make_result: Callable[..., SectionResult], tmp_path: Path, degrees: float
) -> None:
    result = make_result("square", side=12, degrees=degrees, spot_shape="square", spot_um=100.0)
    write_overlay(result, tmp_path / "s.png")
    picture = pixels(tmp_path / "s.png")
    down, across = (slice(int(0.4 * size), int(0.5 * size)) for size in picture.shape[:2])
    assert not (picture[down, across] == [225, 150, 190]).all(axis=-1).any()


def test_the_same_calls_give_the_same_bytes(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    for name in "ab":
        write_overlay(make_result(side=6), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("spots", [0, 1])
def test_a_section_with_no_spot_or_one_can_be_drawn(
    make_result: Callable[..., SectionResult], tmp_path: Path, spots: int
) -> None:
    write_overlay(make_result(spots=make_result().spots[:spots]), tmp_path / "s.png")
    assert pixels(tmp_path / "s.png").size > 1000


def red(path: Path) -> int:
    """Return the number of px in the colour of outlines; the threshold mark of the colour bar has it too."""
    return int((abs(pixels(path) - (227, 18, 11)) < 10).all(axis=-1).sum())


def test_no_region_is_drawn_in_a_section_unlike_the_training_tissue(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    usual = make_result(side=12)
    write_overlay(usual, tmp_path / "usual.png")
    write_overlay(make_result(side=12, spots=usual.spots.assign(ood=2.0)), tmp_path / "unfamiliar.png")
    assert red(tmp_path / "unfamiliar.png") < 500 < red(tmp_path / "usual.png")


@pytest.mark.parametrize(("image", "background"), [(True, "on its H&E"), (False, "without an image")])
def test_the_description_of_the_picture_tells_whether_it_shows_the_tissue(
    make_result: Callable[..., SectionResult], tmp_path: Path, background: str, *, image: bool
) -> None:
    write_overlay(make_result(side=4) if image else make_result(side=4, thumbnail=None), tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as picture:
        description = picture.info["Description"]
    assert "section S1" in description
    assert description.endswith(background)


@pytest.mark.parametrize("ood", [0.1, 2.0])
def test_a_narrow_section_has_its_whole_title_and_legend(
    make_result: Callable[..., SectionResult], tmp_path: Path, ood: float
) -> None:
    spots = make_result().spots
    narrow = spots[np.arange(len(spots)) % 26 < 2].assign(ood=ood, label="uncertain")
    write_overlay(make_result(spots=narrow, section_id="a" * 60), tmp_path / "s.png")
    picture = pixels(tmp_path / "s.png")
    edges = [picture[0], picture[-1], picture[:, 0], picture[:, -1]]
    assert all((edge == 255).all() for edge in edges)
    assert (picture[:, -60:] < 128).any()  # the title ends near the right edge, not beyond it


def test_a_row_of_spots_leaves_room_for_the_ticks_of_the_colour_bar(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    write_overlay(make_result(spots=make_result().spots[:26]), tmp_path / "s.png")
    height, width, _ = pixels(tmp_path / "s.png").shape
    assert width > 1800
    assert 400 < height < 700


def test_spots_are_where_their_section_has_them(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    result = make_result("square", side=8, thumbnail=None, spot_um=60.0)
    result = make_result("square", side=8, thumbnail=None, spot_um=60.0, spots=result.spots.assign(ood=2.0))
    write_overlay(result, tmp_path / "s.png")
    tissue = draw_tissue(result, section_viewport(result))
    step = tissue.width / 10  # margins of 1.5 pitches on both sides of 8 spots
    centres = np.rint((np.arange(8) + 1.5) * step).astype(int)
    drawn = np.asarray(tissue).min(axis=-1) < 250
    assert drawn[np.ix_(centres[:-1], centres)].all()
    gaps = np.rint((np.arange(7) + 2) * step).astype(int)
    assert not drawn[np.ix_(gaps[:-1], gaps)].any()
    assert drawn[centres[3], : centres[1]].sum() / step == pytest.approx(0.9, abs=0.05)  # one spot and a half


def test_a_spot_of_unknown_probability_is_not_drawn(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    spots = make_result(side=6).spots.assign(probability=np.nan, label="normal")
    result = make_result(side=6, spots=spots)
    tissue = np.asarray(draw_tissue(result, section_viewport(result)))
    assert (tissue[200:1000, 200:1000] == [225, 150, 190]).all()
