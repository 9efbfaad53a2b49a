from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from browsing import bounding_box, centre, drawn, settle, until
from stand_ins.copy_number import SUPPORTED

from spacrd_core.results.report.viewport import section_viewport
from spacrd_core.results.result import LABEL_STYLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from spacrd_core.results.result import SectionResult

    Make = Callable[..., SectionResult]
    Open = Callable[..., Page]


THRESHOLD = 0.43


def numbers(page: Page) -> list[str]:
    return [page.inner_text(f".{name}") for name in ("cancer", "normal", "uncertain", "area")]


def expected(result: SectionResult, threshold: float) -> list[str]:
    """Return the counts at a threshold, computed in Python and formatted as in the report."""
    distance = result.spots["probability"] - threshold
    clear = distance.abs() >= result.spots["spread"]
    regions = result.tessellation.regions(result.probability, threshold)
    area = sum(region.outline.area for region in regions) * (result.um_per_px / 1000) ** 2
    counts = [int((clear & (distance >= 0)).sum()), int((clear & (distance < 0)).sum()), int((~clear).sum())]
    return [*map(str, counts), f"{float(f'{area:.3g}'):g} mm²"]


def show_only(page: Page, *names: str) -> None:
    for box in page.locator("[data-show]").all():
        box.set_checked(box.get_attribute("data-show") in names)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_threshold_moves_counts_and_areas_as_python_computes_them(
    make_result: Make, open_report: Open, width: int
) -> None:
    result = make_result()
    page = open_report(result, width=width)
    row = result.summary()
    called = [str(row["cancer"]), str(row["normal"]), str(row["uncertain"]), f"{row['cancer_mm2']:.3g} mm²"]
    assert numbers(page) == called
    assert page.is_disabled(".reset")
    for threshold in (0.7, 0.05, 0.0, 1.0):
        page.fill(".threshold", str(threshold))
        assert numbers(page) == expected(result, threshold)
        assert page.inner_text(".controls .value") == f"{threshold:.3f}"
    page.click(".reset")
    assert numbers(page) == called


def test_doubtful_spots_near_the_threshold_stay_uncertain_at_other_thresholds(
    make_result: Make, open_report: Open
) -> None:
    spots = make_result().spots
    near = (spots["probability"] - THRESHOLD).abs() < spots["spread"]
    doubtful = near & (near.cumsum() <= 3)
    assert near.sum() > doubtful.sum() == 3
    page = open_report(make_result(spots=spots.assign(doubtful=doubtful)))
    assert page.inner_text(".uncertain") == str(int(near.sum()))
    page.fill(".threshold", "0.7")
    near_new = (spots["probability"] - 0.7).abs() < spots["spread"]
    assert page.inner_text(".uncertain") == str(int(near_new.sum()) + 3)


def test_squares_of_a_rotated_array_are_drawn_without_gaps(make_result: Make, open_report: Open) -> None:
    result = make_result("square", side=12, degrees=45, spot_shape="square", spot_um=100.0, threshold=0.99)
    page = open_report(result)
    show_only(page, "spots")
    view = section_viewport(result)
    share = 144 * result.spot_px**2 / (view.width * view.height)
    assert drawn(page.locator(".stage canvas")) == pytest.approx(share, abs=0.02)


@pytest.mark.slow
def test_only_what_is_ticked_is_drawn_and_in_the_legend(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    canvas = page.locator(".stage canvas")
    show_only(page)
    assert drawn(canvas) == 0
    for name in ("spots", "regions", "uncertain", "annotation"):
        show_only(page, name)
        assert drawn(canvas) > 0.001
        assert [key.get_attribute("data-key") for key in page.locator(".key[data-key]:visible").all()] == [name]


def legend(page: Page) -> list[str]:
    """Return the visible parts of the legend."""
    texts = page.locator("figcaption .key:visible, figcaption .scale-note:visible").all_inner_texts()
    return [" ".join(text.split()) for text in texts if "\n" not in text and text]


def test_calls_have_the_colours_of_qupath_and_probabilities_a_scale_that_is_paler_below_the_threshold(
    make_result: Make, open_report: Open
) -> None:
    spots = make_result().spots
    probability = np.where(np.arange(len(spots)) % 2 == 0, 0.0, 1.0)
    spots = spots.assign(probability=probability, label=np.where(probability > 0.5, "cancer", "normal"))
    spots.loc[spots.index[:300], "label"] = "uncertain"
    page = open_report(make_result(spots=spots))
    assert {"cancer", "normal", "uncertain", "cancer region"} <= set(legend(page))
    show_only(page, "spots")
    assert colours_of_spots(page) == {style.hex_colour for style in LABEL_STYLES.values()}
    page.select_option(".colour-by", "probability")
    assert "paler below the threshold" in legend(page)
    assert page.is_checked("[data-show=uncertain]")
    show_only(page, "spots")
    assert colours_of_spots(page) == {page.evaluate("paletteColour(1)")}  # those below are not opaque
    pale = page.locator(".pale").evaluate("(pale) => pale.getBoundingClientRect().width")
    whole = bounding_box(page.locator(".scale"))["width"]
    assert pale / whole == pytest.approx(THRESHOLD, abs=0.01)


def test_spots_without_a_value_are_grey_and_named_in_the_legend(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    for score, named in (("ood", True), ("spread", False), ("call", False)):
        page.select_option(".colour-by", score)
        assert ("unknown" in legend(page)) == named


def test_the_plain_tissue_shows_the_same_part_and_the_place_of_the_spot(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    canvas, plain = page.locator(".stage canvas"), page.locator(".plain")
    assert plain.evaluate("(image) => image.naturalWidth") > 100
    page.click(".zoom-in")
    settle(page)
    photo, beside = bounding_box(page.locator(".photo")), bounding_box(plain)
    offset = bounding_box(page.locator(".window"))["x"] - bounding_box(canvas)["x"]
    assert beside["x"] - photo["x"] == pytest.approx(offset, abs=0.5)
    assert (beside["y"], beside["width"]) == pytest.approx((photo["y"], photo["width"]), abs=0.5)
    page.mouse.move(*centre(canvas))
    settle(page)
    here = centre(page.locator(".here"))
    assert here == pytest.approx((centre(canvas)[0] + offset, centre(canvas)[1]), abs=40)
    width = bounding_box(canvas)["width"]
    page.uncheck(".show-beside")
    assert plain.is_hidden()
    assert bounding_box(canvas)["width"] > 1.1 * width


def test_a_section_unlike_the_training_tissue_gets_no_regions_and_no_area(make_result: Make, open_report: Open) -> None:
    unfamiliar = make_result(section_id="odd", spots=make_result().spots.assign(ood=2.0))
    page = open_report(make_result(), unfamiliar)
    usual, odd = page.locator(".section").all()
    odd.scroll_into_view_if_needed()
    until(page, "stages.size === 2")
    for threshold in (0.43, 0.05):
        odd.locator(".threshold").fill(str(threshold))
        assert odd.locator(".area").inner_text() == "\u2013"
    assert int(odd.locator(".cancer").inner_text()) > 0
    assert odd.locator("[data-show=regions]:visible, [data-key=regions]:visible").count() == 0
    assert usual.locator("[data-show=regions]:visible, [data-key=regions]:visible").count() == 2
    show_only(page, "regions")
    assert drawn(usual.locator("canvas")) > 0.001
    assert drawn(odd.locator("canvas")) == 0
    assert page.locator("#sections tbody tr:nth-child(2) .at-area").inner_text() == "\u2013"


def test_annotated_labels_are_shown_only_on_request(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    canvas = page.locator(".stage canvas")
    assert not page.is_checked("[data-show=annotation]")
    assert page.is_hidden("text=labels annotated in the input")
    canvas.press("ArrowRight")
    settle(page)
    assert "annotated label" not in page.inner_text(".tip")
    page.check("[data-show=annotation]")
    assert page.is_visible("text=labels annotated in the input")
    canvas.press("ArrowRight")
    settle(page)
    assert "annotated label: normal" in page.inner_text(".tip")


def test_spots_can_be_coloured_by_available_scores(make_result: Make, open_report: Open) -> None:
    spots = make_result().spots
    page = open_report(make_result(spots=spots.assign(spread=0.0, ood=1.5, copy_number=float("nan"))))
    assert page.locator(".colour-by option").all_inner_texts() == [
        "Call, as in QuPath",
        "Probability of cancer",
        "Out-of-distribution score",
    ]
    show_only(page, "spots")
    page.select_option(".colour-by", "ood")
    settle(page)
    assert page.inner_text(".scale-name") == "Out-of-distribution score"
    assert (page.inner_text(".scale-start"), page.inner_text(".scale-end")) == ("0", "2 or more")
    assert page.inner_text(".scale-note") == "above the mark at 1: unlike the training tissue"
    assert len(colours_of_spots(page)) == 1


def colours_of_spots(page: Page) -> set[str]:
    """Return the colours that more than a few px of the canvas have, at full opacity."""
    page.fill(".opacity", "1")
    settle(page)
    colours = page.evaluate(
        """() => {
          const canvas = document.querySelector(".stage canvas");
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const { data } = copy.getImageData(0, 0, canvas.width, canvas.height), counts = new Map();
          for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] < 255) continue;
            const colour = "#" + [...data.slice(at, at + 3)].map((part) => part.toString(16).padStart(2, "0")).join("");
            counts.set(colour, (counts.get(colour) ?? 0) + 1);
          }
          return [...counts].filter(([, count]) => count > 1000).map(([colour]) => colour);
        }"""
    )
    return set(colours)


def test_spots_can_be_coloured_by_copy_number_on_a_scale_of_two_signs(make_result: Make, open_report: Open) -> None:
    result = make_result()
    even = np.arange(len(result.spots)) % 2 == 0
    values = np.select([result.probability > THRESHOLD, even], [2.0, 0.0], -9.0)
    page = open_report(make_result(spots=result.spots.assign(copy_number=values)))
    show_only(page, "spots")
    page.select_option(".colour-by", "copy_number")
    settle(page)
    legend = [page.inner_text(f".scale-{part}") for part in ("name", "start", "end", "note")]
    assert legend[:3] == ["Copy-number profile", "\u22122 or less", "2 or more"]
    assert "not used for calls" in legend[3]
    assert colours_of_spots(page) == {page.evaluate(f"paletteColour({fraction})") for fraction in (0, 0.5, 1)}


@pytest.mark.slow
def test_copy_number_is_no_colour_where_it_is_unknown_for_every_spot(make_result: Make, open_report: Open) -> None:
    spots = make_result().spots
    for values, offered in ((spots["copy_number"], True), (float("nan"), False), (-0.5, True)):
        page = open_report(make_result(spots=spots.assign(copy_number=values)))
        assert (page.locator(".colour-by option[value=copy_number]").count() == 1) == offered


@pytest.mark.slow
def test_the_tooltip_states_how_far_a_spot_follows_the_profile(make_result: Make, open_report: Open) -> None:
    for value, line in ((-1.26, "copy-number profile \u22121.3"), (float("nan"), "")):
        page = open_report(make_result(spots=make_result().spots.assign(copy_number=value)))
        page.mouse.move(*centre(page.locator(".stage canvas")))
        settle(page)
        assert [text for text in page.inner_text(".tip").splitlines() if "copy-number" in text] == [line] * bool(line)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_the_profile_stays_wide_enough_to_be_read(make_result: Make, open_report: Open, width: int) -> None:
    page = open_report(make_result(copy_number=SUPPORTED), make_result(), width=width)
    assert page.locator("details.copy-number").count() == 1
    profile = page.locator(".profile")
    assert profile.evaluate("(image) => image.complete && image.naturalWidth > 0")
    assert bounding_box(profile)["width"] >= 900
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.click("text=Copy number along the genome")
    assert profile.is_hidden()


def test_the_tooltip_describes_the_spot_under_the_pointer(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result())
    page.mouse.move(*centre(page.locator(".stage canvas")))
    settle(page)
    tooltip = page.inner_text(".tip")
    assert "called cancer" in tooltip
    assert "+1.3 log odds" in tooltip
    page.mouse.move(2, 2)
    settle(page)
    assert page.is_hidden(".tip")


@pytest.mark.slow
def test_a_section_is_drawn_once_it_comes_near(make_result: Make, open_report: Open) -> None:
    page = open_report(*(make_result(section_id=name) for name in "ABCD"))
    last = page.locator(".section").last
    assert page.evaluate("stages.size") < 4
    last.scroll_into_view_if_needed()
    until(page, "stages.has(sections.at(-1))")
    assert drawn(last.locator(".stage canvas")) > 0.1


@pytest.mark.parametrize("spots", [0, 1])
def test_a_section_with_no_spot_or_one_opens_and_handles_keys(make_result: Make, open_report: Open, spots: int) -> None:
    page = open_report(make_result(spots=make_result().spots[:spots]))
    canvas = page.locator(".stage canvas")
    for key in ("ArrowRight", "ArrowRight", "+", "0"):
        canvas.press(key)
    settle(page)
    assert page.is_visible(".tip") == bool(spots)
    assert page.inner_text(".normal") == str(spots)


def test_without_a_script_tables_and_tissue_are_shown_without_controls(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result(), java_script_enabled=False)
    assert page.is_visible(".photo")
    assert page.inner_text(".cancer") == str(make_result().summary()["cancer"])
    assert page.locator("input:visible, button:visible, select:visible").count() == 0


def test_the_reliability_on_held_out_patients_is_shown_as_diagram_and_table(
    make_result: Make, open_report: Open
) -> None:
    record = {
        "patients": 3,
        "ece": 0.0314,
        "spots": [90, 0, 10],
        "probability": [0.1, None, 0.9],
        "cancer": [0.2, None, 0.8],
    }
    page = open_report(make_result(), make_result(platform="xenium"), reliability={"visium": record})
    assert page.is_visible("text=visium: 3 patients, expected calibration error 0.031")
    assert page.is_visible("text=No patient measured on xenium was held out")
    dots = page.locator(".diagram circle").all()
    assert [[float(dot.get_attribute(name) or "nan") for name in ("cx", "cy")] for dot in dots] == [
        [40, 320],
        [360, 80],
    ]
    page.click("text=Show as a table")
    assert page.locator("#reliability tbody tr").all_inner_texts() == [
        "visium\t0.10\t0.20\t90",
        "visium\t0.90\t0.80\t10",
    ]


def test_the_report_warns_if_no_patient_was_held_out(make_result: Make, open_report: Open) -> None:
    page = open_report(make_result(), reliability={})
    assert page.is_visible("text=No patient measured on visium was held out")
    assert page.locator(".diagram").count() == 0
