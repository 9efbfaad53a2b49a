"""The report as PDF: the H&E shows, and the calls lie on it exactly where they lie on the screen."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from browsing import settle
from PIL import Image
from scipy import ndimage

from spacrd_core.results.result import LABEL_STYLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from spacrd_core.results.result import SectionResult

    Make = Callable[..., SectionResult]
    Open = Callable[..., Page]

HE = (225, 150, 190)
UM_PER_PX = 2.0  # of the H&E
MARKS_UM = np.array([[350.0, 350.0], [850.0, 350.0], [350.0, 850.0]])  # black squares in the H&E, between spots
PDF_SCALE = 4.0  # px per point


class Seen(NamedTuple):
    """Centres of the marks in the H&E, which are black, and of the spots called cancer, which are red."""

    marks: np.ndarray
    spots: np.ndarray


@pytest.fixture(scope="module")
def result(make_result: Make) -> SectionResult:
    """A square lattice with four spots called cancer, over an H&E with three marks."""
    side = round(1300 / UM_PER_PX)
    slide = np.full((side, side, 3), HE, dtype=np.uint8)
    for left, top in np.rint((MARKS_UM - 30) / UM_PER_PX).astype(int).tolist():
        slide[top : top + 30, left : left + 30] = 0
    spots = make_result("square", side=9).spots
    cancer = np.isin(np.arange(81), (20, 24, 42, 60))
    spots = spots.assign(label=np.where(cancer, "cancer", "normal"), probability=np.where(cancer, 0.9, 0.1))
    return make_result("square", side=9, spots=spots, thumbnail=slide, thumbnail_um_per_px=UM_PER_PX)


def centres(mask: np.ndarray, smallest: float, filled: float) -> np.ndarray:
    """Return the centres (x, y) of the large parts of a mask that fill their box, from top to bottom: no letters."""
    named, _ = ndimage.label(mask)
    found = []
    for part, (rows, columns) in enumerate(ndimage.find_objects(named), start=1):
        inside = named[rows, columns] == part
        height, width = inside.shape
        if inside.sum() >= smallest and inside.mean() > filled and 0.8 < height / width < 1.25:
            found.append((columns.start + width / 2, rows.start + height / 2))
    return np.array(sorted(found, key=lambda centre: (round(centre[1], -1), centre[0])))


def see(picture: Image.Image) -> Seen:
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    red = (pixels[..., 0] > 170) & (pixels[..., 1:].max(axis=-1) < 90)
    smallest = (picture.width / 100) ** 2
    return Seen(centres(pixels.max(axis=-1) < 40, smallest, 0.95), centres(red, smallest, 0.7))


def on_screen(page: Page) -> Image.Image:
    settle(page)
    return Image.open(io.BytesIO(page.locator(".viewport").screenshot()))


def on_paper(page: Page) -> Image.Image:
    """Return the second page of the PDF: the first section begins there."""
    pypdfium2 = pytest.importorskip("pypdfium2", reason="no pypdfium2 to draw a PDF with")
    with pypdfium2.PdfDocument(page.pdf(format="A4")) as document:
        picture: Image.Image = document[1].render(scale=PDF_SCALE).to_pil()
    return picture


def fractions(seen: Seen) -> np.ndarray:
    """Return the positions of spots from the first mark, relative to the distances of the others."""
    first, right, below = seen.marks
    return (seen.spots - first) / [right[0] - first[0], below[1] - first[1]]


def hide_all_but_spots(page: Page) -> None:
    for name in ("[data-show=regions]", ".show-beside"):
        page.uncheck(name)
    page.fill(".opacity", "1")
    page.evaluate("document.querySelectorAll('.bar, figcaption').forEach((each) => each.remove())")


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("zooms", [0, 1])
def test_on_paper_the_calls_lie_on_the_tissue_as_on_the_screen(
    result: SectionResult, open_report: Open, zooms: int
) -> None:
    page = open_report(result)
    hide_all_but_spots(page)
    for _ in range(zooms):
        page.click(".zoom-in")
    screen, paper = see(on_screen(page)), see(on_paper(page))
    assert len(screen.marks) == len(paper.marks) == 3
    assert len(screen.spots) == len(paper.spots) == 4
    um_per_px = 500 / (screen.marks[1, 0] - screen.marks[0, 0])
    assert fractions(paper) * 500 == pytest.approx(fractions(screen) * 500, abs=um_per_px)  # within a px of the screen
    where = result.positions.loc[result.spots["label"] == "cancer", ["x_um", "y_um"]].to_numpy()
    where = where[np.lexsort((where[:, 0], where[:, 1]))]
    assert fractions(paper) * 500 == pytest.approx(where - MARKS_UM[0], abs=um_per_px)


def test_on_paper_the_tissue_shows_plain_beside_the_calls_in_their_colours(
    result: SectionResult, open_report: Open
) -> None:
    page = open_report(result)
    page.fill(".opacity", "1")
    page.evaluate("document.querySelectorAll('.bar').forEach((bar) => bar.remove())")
    picture = on_paper(page)
    assert len(see(picture).marks) == 6
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    for colour in (HE, LABEL_STYLES["cancer"].colour, LABEL_STYLES["normal"].colour):
        assert (abs(pixels - colour) < 6).all(axis=-1).sum() > 2000
    assert page.locator(".paper").count() == 0  # on the screen, the canvas is back
