from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spacrd_core.results.colours import FAINT, probability_colours
from spacrd_core.results.files.overlay_png import write_overlay
from spacrd_core.results.overlay.colour_bar import MIN_HEIGHT
from spacrd_core.results.overlay.spots import OPACITY
from spacrd_core.results.overlay.tissue import draw_tissue
from spacrd_core.results.report.viewport import section_viewport
from spacrd_core.results.result import LABEL_STYLES, SectionResult


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(int)


def near(picture: np.ndarray, colour: tuple[int, int, int], distance: int = 10) -> int:
    """Return the number of px in about this colour."""
    return int((abs(picture - colour) < distance).all(axis=-1).sum())


@pytest.mark.parametrize("shape", ["disc", "square"])
def test_the_picture_shows_the_calls_in_the_colours_that_qupath_gets_and_the_outline_of_the_region(
    make_result: Callable[..., SectionResult], tmp_path: Path, shape: str
) -> None:
    write_overlay(make_result(thumbnail=None, spot_shape=shape), tmp_path / "s.png")
    picture = pixels(tmp_path / "s.png")
    assert min(picture.shape[:2]) > 1000
    assert near(picture, LABEL_STYLES["cancer"].colour, 4) > 1000  # the outline
    for style in LABEL_STYLES.values():
        red, green, blue = (round(255 - OPACITY * (255 - part)) for part in style.colour)
        assert near(picture, (red, green, blue), 3) > 1000


def test_by_probability_the_picture_shows_both_ends_of_the_scale_paler_below_the_threshold(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    probability = np.where(np.arange(36) < 18, 0.0, 1.0)
    result = make_result(side=6, thumbnail=None)
    result = make_result(side=6, thumbnail=None, spots=result.spots.assign(probability=probability, label="normal"))
    write_overlay(result, tmp_path / "s.png", "probability")
    picture = pixels(tmp_path / "s.png")
    for value, opacity in ((0.0, OPACITY * FAINT), (1.0, OPACITY)):
        colour = probability_colours(np.array([value]))[0].astype(int)
        red, green, blue = np.rint(255 - opacity * (255 - colour)).astype(int).tolist()
        assert near(picture, (red, green, blue), 3) > 1000


def test_the_plain_tissue_is_beside_the_calls(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    result = make_result()
    write_overlay(result, tmp_path / "s.png")
    plain, calls = np.array_split(pixels(tmp_path / "s.png"), 2, axis=1)
    assert (plain == [225, 150, 190]).all(axis=-1).mean() > 0.7 > (calls == [225, 150, 190]).all(axis=-1).mean()


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
    down, across = slice(500, 700), slice(-700, -500)  # inside the panel with the calls, on the right
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
    """Return the number of px in the colour of outlines."""
    return near(pixels(path), LABEL_STYLES["cancer"].colour, 4)


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
    write_overlay(make_result(spots=make_result().spots[:26]), tmp_path / "s.png", "probability")
    height, width, _ = pixels(tmp_path / "s.png").shape
    assert width > 2400
    assert MIN_HEIGHT < height < MIN_HEIGHT + 250


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


def test_by_probability_a_spot_without_one_is_not_drawn(make_result: Callable[..., SectionResult]) -> None:
    spots = make_result(side=6).spots.assign(probability=np.nan, label="normal")
    result = make_result(side=6, spots=spots)
    tissue = np.asarray(draw_tissue(result, section_viewport(result), "probability"))
    assert (tissue[200:800, 200:800] == [225, 150, 190]).all()
