"""The look of the report on screen, phone and paper; screenshots are kept in build/screenshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import bounding_box, drawn, settle
from stand_ins.copy_number import SUPPORTED

from spacrd_core.detection.attribution import DrivingGene

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from spacrd_core.results.result import SectionResult

    Make = Callable[..., SectionResult]
    Open = Callable[..., Page]

GENES = (DrivingGene("ERBB2", 0.4312, 4.2, 1.55), DrivingGene("COL1A1", -0.1, 1.234, None))
RELIABILITY = {
    platform: {
        "patients": patients,
        "ece": 0.04,
        "spots": [400, 90, 60, 220],
        "probability": [0.06, 0.3, 0.62, 0.93],
        "cancer": [0.02, high, 0.7, 0.96],
    }
    for platform, patients, high in (("st", 6, 0.38), ("visium", 1, 0.22))
}


def contrast(page: Page, selector: str) -> float:
    """Return the WCAG contrast ratio of a text and its background."""
    ratio = page.evaluate(
        """(selector) => {
          const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255)
            .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
            .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
          let behind = document.querySelector(selector);
          const ink = light(getComputedStyle(behind).color);
          while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
          const paper = light(getComputedStyle(behind).backgroundColor);
          return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        }""",
        selector,
    )
    return float(ratio)


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_light_and_dark(
    make_result: Make, open_report: Open, keep: Callable[..., None], scheme: str
) -> None:
    result = make_result(genes=GENES, notes=("a note",), copy_number=SUPPORTED)
    page = open_report(result, color_scheme=scheme, reliability=RELIABILITY)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}[scheme]
    for text in (
        "h1",
        ".notice",
        ".warning",
        ".small",
        ".controls label",
        ".counts td",
        ".hint",
        ".index thead th",
        ".confusion td",
        "h3",
        "figcaption",
        "a",
        "dt",
    ):
        assert contrast(page, text) >= 4.5
    keep(page, f"desktop-{scheme}")


def test_a_phone_needs_no_horizontal_scrolling(make_result: Make, open_report: Open, keep: Callable[..., None]) -> None:
    page = open_report(
        make_result(genes=GENES, notes=("a long note " * 9,), copy_number=SUPPORTED),
        reliability=RELIABILITY,
        width=390,
        height=844,
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for button in page.locator("button").all():
        assert bounding_box(button)["height"] >= 32
    keep(page, "phone")


@pytest.mark.slow
def test_on_paper_all_sections_and_tables_are_shown_without_controls(
    make_result: Make, open_report: Open, keep: Callable[..., None]
) -> None:
    results = [make_result(section_id=name, genes=GENES, copy_number=SUPPORTED) for name in "ABCD"]
    page = open_report(*results, reliability=RELIABILITY)
    assert page.evaluate("stages.size") < 4
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert [paper.locator("path").count() > 10 for paper in page.locator(".paper:visible").all()] == [True] * 4
    assert page.locator(".controls:visible, .zoom:visible, .filters:visible, input:visible").count() == 0
    assert page.locator("text=ERBB2").first.is_visible()
    assert bounding_box(page.locator(".profile").first)["width"] <= bounding_box(page.locator("main"))["width"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    keep(page, "print")


def test_a_section_without_an_image_shows_its_spots_on_a_plain_background(
    make_result: Make, open_report: Open, keep: Callable[..., None]
) -> None:
    page = open_report(make_result(thumbnail=None))
    canvas = page.locator(".stage canvas")
    assert drawn(canvas) > 0.1
    assert page.locator("img").count() == 0
    assert page.is_visible("text=This section has no image")
    canvas.press("+")
    settle(page)
    assert page.inner_text(".bar") != ""
    keep(page, "no-image")
