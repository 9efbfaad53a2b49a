from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from browsing import centre, settle, until

from spacrd_core.results.report.viewport import window

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from spacrd_core.results.result import SectionResult

    Make = Callable[..., SectionResult]
    Open = Callable[..., Page]

LENGTHS = {"mm": 1000.0, "µm": 1.0}


def zoom(page: Page) -> float:
    settle(page)
    return float(
        re.match(r"scale\(([\d.]+)\)", str(page.evaluate("document.querySelector('.photo').style.transform")))[1]
    )


def under(page: Page, result: SectionResult, spot: str) -> tuple[float, float]:
    """Return where a spot of the section lies in the window, by where the browser has put the photograph."""
    box = page.locator(".photo").bounding_box()
    view = window(result)
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
    place = under(page, result, spot)
    page.mouse.move(*place)
    page.keyboard.down("Control")
    for _ in range(4):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    until(page, "document.querySelector('.photo').style.transform.startsWith('scale(4.')")
    assert under(page, result, spot) == pytest.approx(
        place, abs=5
    )  # a wheel is told in whole px, five times as wide now
    assert page.evaluate("scrollY") == 200


def test_a_spot_is_told_of_where_the_zoomed_tissue_shows_it_and_drags_along(
    make_result: Make, open_report: Open
) -> None:
    result = make_result()
    page = open_report(result)
    canvas = page.locator(".stage canvas")
    for _ in range(3):
        page.click(".in")
    assert zoom(page) == pytest.approx(1.5**3)
    x, y = centre(canvas)
    page.mouse.move(x, y)
    found = named(page)
    assert under(page, result, found) == pytest.approx((x, y), abs=60)
    before = under(page, result, found)
    page.mouse.down()
    page.mouse.move(x + 70, y - 30, steps=3)
    page.mouse.up()
    assert named(page) == found
    assert under(page, result, found) == pytest.approx((before[0] + 70, before[1] - 30), abs=1)
    page.click(".fit")
    assert zoom(page) == 1
    assert page.is_disabled(".fit")


def test_dragging_never_shows_more_than_the_picture(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    canvas = page.locator(".stage canvas")
    page.click(".in")
    x, y = centre(canvas)
    for far in (-2000, 4000):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + far, y + far)
        page.mouse.up()
        settle(page)
        photo, glass = (page.locator(name).bounding_box() for name in (".photo", ".glass"))
        assert photo["x"] <= glass["x"] + 0.5
        assert photo["y"] <= glass["y"] + 0.5
        assert photo["x"] + photo["width"] >= glass["x"] + glass["width"] - 0.5
        assert photo["y"] + photo["height"] >= glass["y"] + glass["height"] - 0.5


def test_the_scale_bar_is_a_round_length_and_right_at_every_zoom(make_result: Make, open_report: Open) -> None:
    result = make_result()
    page = open_report(result)
    lengths = []
    for _ in range(7):
        settle(page)
        number, unit = page.inner_text(".bar").split()
        um = float(number) * LENGTHS[unit]
        um_per_px = window(result).width * result.um_per_px / page.locator(".photo").bounding_box()["width"]
        assert page.locator(".bar").bounding_box()["width"] * um_per_px == pytest.approx(um, rel=0.01)
        assert number[0] in "125"
        assert set(number[1:]) <= {"0"}
        lengths.append(um)
        if page.is_enabled(".in"):
            page.click(".in")
    assert page.is_disabled(".in")
    assert lengths[0] == 500
    assert lengths[-1] == 50


def test_keys_step_through_spots_and_keep_the_chosen_one_in_view(make_result: Make, open_report: Open) -> None:
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
    box = canvas.bounding_box()
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


def test_everything_can_be_done_by_keyboard_and_has_a_name(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.dataset.show ?? document.activeElement.className ?? ''")
            or page.evaluate("document.activeElement.tagName")
        )
    stage = [name for name in reached if name not in {"A", "BODY", "scroll"}]
    assert stage[:3] == ["close" if zoom(page) > 1 else "CANVAS", "in", "threshold"]
    for name in ("spots", "regions", "uncertain", "given", "by", "opacity"):
        assert name in stage
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, input, select, canvas")].filter(
             (one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.[0]?.textContent.trim())
           ).length"""
    )
    assert nameless == 0

    page.focus("[data-show=regions]")
    page.keyboard.press("Space")
    assert not page.is_checked("[data-show=regions]")
    page.focus(".threshold")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".controls .value") == "0.435"
    page.focus(".reset")
    page.keyboard.press("Enter")
    assert page.inner_text(".controls .value") == "0.430"
    page.focus(".in")
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


def test_fingers_pinch_and_drag_the_tissue_and_one_tap_tells_of_a_spot(make_result: Make, open_report: Open) -> None:
    result = make_result()
    page = open_report(result, width=390, height=844, has_touch=True, is_mobile=True)
    page.locator(".stage canvas").scroll_into_view_if_needed()
    x, y = centre(page.locator(".stage canvas"))
    touch(page, [(x, y)])
    found = named(page)
    place = under(page, result, found)
    touch(page, *([(x - apart, y), (x + apart, y)] for apart in (30, 50, 70, 90)))
    assert zoom(page) == pytest.approx(3, abs=0.2)
    before = under(page, result, found)
    assert before == pytest.approx((x + 3 * (place[0] - x), y + 3 * (place[1] - y)), abs=12)
    touch(page, [(x, y)], [(x + 20, y + 10)], [(x + 40, y + 20)])
    assert under(page, result, found) == pytest.approx((before[0] + 40, before[1] + 20), abs=2)


def test_a_finger_on_the_whole_section_scrolls_the_page(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result(), width=390, height=844, has_touch=True, is_mobile=True)
    x, y = centre(page.locator(".stage canvas"))
    touch(page, *([(x, y - moved)] for moved in range(0, 220, 20)))
    until(page, "scrollY > 100")
    assert zoom(page) == 1
