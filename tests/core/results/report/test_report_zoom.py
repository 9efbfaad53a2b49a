from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from browsing import bounding_box, centre, settle, until

from spacrd_core.results.report.viewport import section_viewport

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from spacrd_core.results.result import SectionResult

    Make = Callable[..., SectionResult]
    Open = Callable[..., Page]

LENGTHS = {"mm": 1000.0, "µm": 1.0}


def zoom(page: Page) -> float:
    settle(page)
    transform = str(page.evaluate("document.querySelector('.photo').style.transform"))
    scale = re.match(r"scale\(([\d.]+)\)", transform)
    assert scale is not None, transform
    return float(scale[1])


def under(page: Page, result: SectionResult, spot: str) -> tuple[float, float]:
    """Return the position of a spot in the browser window, from the position of the photo."""
    box = bounding_box(page.locator(".photo"))
    view = section_viewport(result)
    x, y = result.positions.loc[spot, ["x_px", "y_px"]]
    return (
        box["x"] + (x - view.left) / view.width * box["width"],
        box["y"] + (y - view.top) / view.height * box["height"],
    )


def named(page: Page) -> str:
    settle(page)
    return page.inner_text(".tip").split("\n")[0]


def test_a_wheel_with_ctrl_zooms_about_the_pointer_and_one_without_scrolls_the_page(
    make_result: Make, open_report: Open
) -> None:
    result = make_result()
    page = open_report(result)
    spot = result.spots.index[200]
    page.mouse.move(*under(page, result, spot))
    page.mouse.wheel(0, 300)
    until(page, "scrollY > 100")
    assert zoom(page) == 1

    page.evaluate("scrollTo(0, 200)")
    settle(page)
    position = under(page, result, spot)
    page.mouse.move(*position)
    page.keyboard.down("Control")
    for _ in range(4):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    until(page, "document.querySelector('.photo').style.transform.startsWith('scale(4.')")
    assert under(page, result, spot) == pytest.approx(
        position, abs=5
    )  # wheel positions are whole px, magnified by the zoom
    assert page.evaluate("scrollY") == 200


def test_the_tooltip_follows_the_zoomed_and_dragged_tissue(make_result: Make, open_report: Open) -> None:
    result = make_result()
    page = open_report(result)
    canvas = page.locator(".stage canvas")
    for _ in range(3):
        page.click(".zoom-in")
    assert zoom(page) == pytest.approx(1.5**3)
    x, y = centre(canvas)
    page.mouse.move(x, y)
    spot = named(page)
    assert under(page, result, spot) == pytest.approx((x, y), abs=60)
    before = under(page, result, spot)
    page.mouse.down()
    page.mouse.move(x + 70, y - 30, steps=3)
    page.mouse.up()
    assert named(page) == spot
    assert under(page, result, spot) == pytest.approx((before[0] + 70, before[1] - 30), abs=1)
    page.click(".zoom-fit")
    assert zoom(page) == 1
    assert page.is_disabled(".zoom-fit")


def test_dragging_never_shows_more_than_the_picture(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    canvas = page.locator(".stage canvas")
    page.click(".zoom-in")
    x, y = centre(canvas)
    for far in (-2000, 4000):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + far, y + far)
        page.mouse.up()
        settle(page)
        photo, viewport = (bounding_box(page.locator(name)) for name in (".photo", ".viewport"))
        assert photo["x"] <= viewport["x"] + 0.5
        assert photo["y"] <= viewport["y"] + 0.5
        assert photo["x"] + photo["width"] >= viewport["x"] + viewport["width"] - 0.5
        assert photo["y"] + photo["height"] >= viewport["y"] + viewport["height"] - 0.5


@pytest.mark.slow
def test_the_scale_bar_is_a_round_length_and_correct_at_every_zoom(make_result: Make, open_report: Open) -> None:
    result = make_result()
    page = open_report(result)
    lengths = []
    for _ in range(7):
        settle(page)
        number, unit = page.inner_text(".bar").split()
        um = float(number) * LENGTHS[unit]
        um_per_px = section_viewport(result).width * result.um_per_px / bounding_box(page.locator(".photo"))["width"]
        assert bounding_box(page.locator(".bar"))["width"] * um_per_px == pytest.approx(um, rel=0.01)
        assert number[0] in "125"
        assert set(number[1:]) <= {"0"}
        lengths.append(um)
        if page.is_enabled(".zoom-in"):
            page.click(".zoom-in")
    assert page.is_disabled(".zoom-in")
    assert lengths[0] == 500
    assert lengths[-1] == 50


@pytest.mark.slow
def test_keys_step_through_spots_and_keep_the_selected_one_in_view(make_result: Make, open_report: Open) -> None:
    result = make_result()
    page = open_report(result)
    canvas = page.locator(".stage canvas")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    first = named(page)
    page.keyboard.press("ArrowRight")
    second = named(page)
    step = result.positions.loc[second] - result.positions.loc[first]
    assert step["x_um"] == pytest.approx(result.pitch_um)
    assert abs(step["y_um"]) < 1
    for _ in range(4):
        page.keyboard.press("+")
    assert zoom(page) == pytest.approx(1.5**4)
    assert named(page) == second
    box = bounding_box(canvas)
    for key in ("ArrowRight", "ArrowDown"):
        for _ in range(9):
            page.keyboard.press(key)
            x, y = under(page, result, named(page))
            assert box["x"] < x < box["x"] + box["width"]
            assert box["y"] < y < box["y"] + box["height"]
    page.keyboard.press("-")
    assert zoom(page) == pytest.approx(1.5**3)
    page.keyboard.press("0")
    assert zoom(page) == 1
    page.keyboard.press("Escape")
    settle(page)
    assert page.is_hidden(".tip")


def test_every_control_is_reachable_by_keyboard_and_has_a_name(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.dataset.show ?? document.activeElement.className ?? ''")
            or page.evaluate("document.activeElement.tagName")
        )
    stage = [name for name in reached if name not in {"A", "BODY", "scroll"}]
    assert stage[:3] == ["zoomed" if zoom(page) > 1 else "CANVAS", "zoom-in", "threshold"]
    for name in ("spots", "regions", "uncertain", "annotation", "colour-by", "opacity"):
        assert name in stage
    unnamed = page.evaluate(
        """[...document.querySelectorAll("button, input, select, canvas")].filter(
             (control) => !(control.ariaLabel || control.textContent.trim() || control.labels?.[0]?.textContent.trim())
           ).length"""
    )
    assert unnamed == 0

    page.focus("[data-show=regions]")
    page.keyboard.press("Space")
    assert not page.is_checked("[data-show=regions]")
    page.focus(".threshold")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".controls .value") == "0.435"
    page.focus(".reset")
    page.keyboard.press("Enter")
    assert page.inner_text(".controls .value") == "0.430"
    page.focus(".zoom-in")
    page.keyboard.press("Enter")
    assert zoom(page) == 1.5


def touch(page: Page, *steps: list[tuple[float, float]]) -> None:
    """Put fingers down, move them from step to step, and lift them."""
    session = page.context.new_cdp_session(page)
    for number, fingers in enumerate([*steps, []]):
        kind = "touchStart" if number == 0 else "touchMove" if fingers else "touchEnd"
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    settle(page)


def test_fingers_pinch_and_drag_the_tissue_and_a_tap_selects_a_spot(make_result: Make, open_report: Open) -> None:
    result = make_result()
    page = open_report(result, width=390, height=844, has_touch=True, is_mobile=True)
    page.locator(".stage canvas").scroll_into_view_if_needed()
    x, y = centre(page.locator(".stage canvas"))
    touch(page, [(x, y)])
    spot = named(page)
    position = under(page, result, spot)
    touch(page, *([(x - distance, y), (x + distance, y)] for distance in (30, 50, 70, 90)))
    assert zoom(page) == pytest.approx(3, abs=0.2)
    before = under(page, result, spot)
    assert before == pytest.approx((x + 3 * (position[0] - x), y + 3 * (position[1] - y)), abs=12)
    touch(page, [(x, y)], [(x + 20, y + 10)], [(x + 40, y + 20)])
    assert under(page, result, spot) == pytest.approx((before[0] + 40, before[1] + 20), abs=2)


@pytest.mark.slow
def test_a_finger_on_the_whole_section_scrolls_the_page(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result(), width=390, height=844, has_touch=True, is_mobile=True)
    x, y = centre(page.locator(".stage canvas"))
    touch(page, *([(x, y - moved)] for moved in range(0, 220, 20)))
    until(page, "scrollY > 100")
    assert zoom(page) == 1
