"""The table of sections in a browser: sorting, filtering, a common threshold, links, and its look as an index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import pytest
from browsing import bounding_box, opened, until
from stand_ins.copy_number import NO_EVIDENCE, SUPPORTED

from spacrd_core.model.findings import Findings
from spacrd_core.results.report.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from spacrd_core.results.result import Provenance, SectionResult

    Make = Callable[..., SectionResult]
    Open = Callable[..., Page]

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"quotes\" 'too'"
RESET = "Use each section\N{RIGHT SINGLE QUOTATION MARK}s own"
CAUTIONED = "No epithelium was found"


@pytest.fixture(scope="module")
def sections(make_result: Make) -> list[SectionResult]:
    """Sections of different sizes, shares of cancer, agreement, copy number and cautions."""
    small = make_result(side=4).spots
    return [
        make_result(side=10, section_id="S10", patient="Smith", findings=Findings(agreement={"genes": 0.5})),
        make_result(side=4, section_id="S2", patient=HOSTILE, spots=small.assign(label="normal")),
        make_result(
            side=6,
            section_id="S1",
            copy_number=SUPPORTED,
            findings=Findings(agreement={"image": -0.2}),
            trained_on="the detector was trained on this section",
        ),
        make_result(
            side=26,
            section_id="index",
            patient="Jones",
            copy_number=NO_EVIDENCE,
            notes=("no epithelium was found, so nothing is called", "another caution"),
            thumbnail=None,
        ),
    ]


@pytest.fixture(scope="module")
def index(sections: list[SectionResult], provenance: Provenance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("many") / "report.html"
    report = Report(file=file, provenance=provenance, paged=True)
    report.finish([report.add(result) for result in sections])
    return file


@pytest.fixture
def page(browser: Browser, index: Path) -> Iterator[Page]:
    with opened(browser, index) as page:
        yield page


def shown(page: Page) -> list[str]:
    """Return the names of the visible sections, in their order."""
    return page.locator("#sections tbody .name:visible").all_inner_texts()


def sort(page: Page, heading: str) -> list[str]:
    page.get_by_role("button", name=heading, exact=True).click()
    return shown(page)


def test_columns_sort_both_ways_and_unknown_values_are_last(page: Page) -> None:
    assert shown(page) == ["S10", "S2", "S1", "index"]
    assert sort(page, "Section") == ["index", "S1", "S2", "S10"]
    assert sort(page, "Section") == ["S10", "S2", "S1", "index"]
    assert sort(page, "Spots") == ["index", "S10", "S1", "S2"]
    assert sort(page, "Spots") == ["S2", "S1", "S10", "index"]
    assert sort(page, "Prior")[:2] == ["S10", "S1"]
    assert sort(page, "Prior")[:2] == ["S1", "S10"]
    assert sort(page, "Cautions")[0] == "index"
    assert sort(page, "Share, %")[-1] == "S2"
    assert sort(page, "Share, %")[0] == "S2"
    sorted_by = page.locator("[aria-sort]")
    assert sorted_by.count() == 1
    assert (sorted_by.inner_text(), sorted_by.get_attribute("aria-sort")) == ("Share, %", "ascending")


def test_words_of_names_verdicts_and_cautions_filter_the_rows(page: Page) -> None:
    search = page.get_by_role("searchbox", name="Search")
    for text, names in (
        ("s1", ["S10", "S1"]),
        ("JONES", ["index"]),
        ("supported", ["S1"]),
        ("no evidence epithelium", ["index"]),
        ("onerror", ["S2"]),
        ("nothing like it", []),
        ("  ", ["S10", "S2", "S1", "index"]),
    ):
        search.fill(text)
        assert shown(page) == names
        assert page.inner_text(".shown") == f"{len(names)} of 4 sections"
    page.get_by_label("With cautions only").check()
    assert shown(page) == ["index"]
    assert sort(page, "Spots") == ["index"]
    page.get_by_label("With cautions only").uncheck()
    assert shown(page) == ["index", "S10", "S1", "S2"]


def test_everything_works_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.type("s1")
    assert page.get_by_role("searchbox", name="Search").input_value() == "s1"
    for _ in range(4):  # the check box, the threshold, the table, its first heading
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("[aria-sort=ascending]").inner_text() == "Section"
    for _ in range(13):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "report_sections/S1.html"


@pytest.mark.slow
def test_every_link_opens_the_page_of_its_section_which_leads_back(browser: Browser, index: Path, page: Page) -> None:
    links = page.locator("#sections a").evaluate_all("(links) => links.map((link) => link.href)")
    assert len(links) == 4
    for name, link in zip(shown(page), links, strict=True):
        with opened(browser, Path(unquote(urlparse(link).path))) as section:
            assert section.inner_text(".section h2").startswith(name)
            assert section.evaluate("stages.size") == 1
            back = section.get_by_role("link", name="All sections").evaluate("(link) => link.href")
            assert back == index.as_uri()


def test_the_numbers_of_a_row_are_those_of_the_section(page: Page, sections: list[SectionResult]) -> None:
    for row, result in zip(page.locator("#sections tbody tr").all(), sections, strict=True):
        facts: dict[str, Any] = result.summary()
        cells = [cell.strip() for cell in row.locator("td").all_inner_texts()]
        agreement, area = min(facts["agreement"].values(), default=None), facts["cancer_mm2"]
        assert (
            cells
            == [
                " ".join(facts["patient"].split()),
                facts["platform"],
                str(facts["spots"]),
                str(facts["cancer"]),
                str(facts["uncertain"]),
                f"{100 * facts['cancer'] / facts['spots']:.1f}",
                "\N{EN DASH}" if area is None else f"{area:.3g}",
                "",
                "trained on" if result.trained_on else "\N{EN DASH}",  # all labels are normal: no AUC
                "\N{EN DASH}" if agreement is None else f"{agreement:.2f}".replace("-", "\N{MINUS SIGN}"),
                facts["copy_number"]["verdict"],
                "\n".join(note[0].upper() + note[1:] for note in result.notes) or "none",
            ]
        )
        assert row.locator(".spark").get_attribute("aria-label") == f"mean {facts['mean_probability']:.2f}"
        assert row.locator("img").evaluate("(image) => image.naturalWidth") > 50


def numbers(page: Page, section: str) -> list[str]:
    """Return the numbers of a row that depend on the threshold."""
    row = page.locator("#sections tbody tr").filter(has=page.get_by_role("link", name=section, exact=True))
    return [row.locator(f".at-{name}").inner_text() for name in ("cancer", "uncertain", "share", "area")]


def set_common(page: Page, threshold: str) -> None:
    page.get_by_label("Common threshold").fill(threshold)


@pytest.mark.slow
def test_a_common_threshold_changes_the_rows_their_order_and_the_linked_pages(browser: Browser, page: Page) -> None:
    before = numbers(page, "index")
    sort(page, "Share, %")
    set_common(page, "0.7")
    common = numbers(page, "index")
    assert common != before
    assert shown(page)[0] == max(shown(page), key=lambda name: float(numbers(page, name)[2]))
    link = page.get_by_role("link", name="index", exact=True).evaluate("(link) => link.href")
    address = urlparse(link)
    assert address.fragment == "threshold=0.7"
    with opened(browser, Path(unquote(address.path)), fragment=address.fragment) as section:
        shows = [section.inner_text(f".{name}") for name in ("cancer", "uncertain", "area")]
        assert shows == [common[0], common[1], f"{common[3]} mm²"]
        assert section.inner_text(".controls .value") == "0.700"
        assert numbers(section, "index") == common
    page.get_by_role("button", name=RESET).click()
    assert numbers(page, "index") == before
    assert page.get_by_role("link", name="index", exact=True).get_attribute("href") == "report_sections/index.html"


def test_a_common_threshold_in_one_file_moves_those_of_its_sections(make_result: Make, open_report: Open) -> None:
    page = open_report(*(make_result(side=6, section_id=name, threshold=0.43) for name in "AB"))
    set_common(page, "0.2")
    page.locator("#section-2 .controls").scroll_into_view_if_needed()
    until(page, "stages.size === 2")
    assert page.locator(".controls .value").all_inner_texts() == ["0.200", "0.200"]
    assert [numbers(page, "A")[0]] == page.locator("#section-1 .cancer").all_inner_texts()
    page.get_by_role("button", name=RESET).click()
    assert page.locator(".controls .value").all_inner_texts() == ["0.430", "0.430"]


def test_without_a_script_the_table_has_no_controls(browser: Browser, index: Path) -> None:
    with opened(browser, index, java_script_enabled=False) as page:
        assert shown(page) == ["S10", "S2", "S1", "index"]
        assert page.locator("input:visible, button:visible").count() == 0
        assert page.locator("noscript p").is_visible()


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_index_fits_the_window(
    browser: Browser, index: Path, keep: Callable[..., None], width: int, scheme: str
) -> None:
    with opened(browser, index, width=width, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for button in page.locator("button").all():
            assert bounding_box(button)["height"] >= 32
        keep(page, f"index-{width}-{scheme}")


def test_on_paper_all_columns_are_shown_without_controls(browser: Browser, index: Path) -> None:
    with opened(browser, index) as page:
        page.emulate_media(media="print")
        assert page.locator("input:visible").count() == 0
        assert page.is_visible(f"text={CAUTIONED}")


def test_on_paper_every_page_of_the_table_has_its_headings(browser: Browser, index: Path) -> None:
    pypdfium2 = pytest.importorskip("pypdfium2", reason="no pypdfium2 to read a PDF with")
    with opened(browser, index) as page, pypdfium2.PdfDocument(page.pdf(width="30cm", height="12cm")) as document:
        texts = [sheet.get_textpage().get_text_range() for sheet in document]
    named = [re.findall(r"(?m)^ *(S10|S2|S1|index)\b", text) for text in texts]
    assert sorted({name for names in named for name in names}) == ["S1", "S10", "S2", "index"]
    of_table = [text for text, names in zip(texts, named, strict=True) if names]
    assert len(of_table) > 1
    assert all("Patient" in text and "Cautions" in text for text in of_table)


def test_without_any_agreement_with_the_prior_its_column_is_left_out(make_result: Make, open_report: Open) -> None:
    sections = [make_result(side=4, section_id=name, findings=Findings(agreement={})) for name in "AB"]
    page = open_report(*sections)
    assert page.get_by_role("button", name="Spots", exact=True).count() == 1
    assert page.get_by_role("button", name="Prior", exact=True).count() == 0
