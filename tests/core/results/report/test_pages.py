"""The files of a report of many sections: an index, a page for each section, and none that is stale."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from spacrd_core.errors import InputError
from spacrd_core.results.folder import write_folder
from spacrd_core.results.ownership import require_own
from spacrd_core.results.report.pages import MAX_SECTIONS_IN_ONE_FILE, has_pages, remove_stale_pages, replacing_report
from spacrd_core.results.report.report import Report, write_report
from spacrd_core.results.report.section_view import build_section_view

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.results.result import Provenance, SectionResult

    Make = Callable[..., SectionResult]

BACK = '<nav aria-label="Report"><a href="../report.html">All sections</a></nav>\n'


def names_below(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.html")}


def test_above_twelve_sections_each_has_a_page() -> None:
    assert [has_pages(sections) for sections in (1, MAX_SECTIONS_IN_ONE_FILE, 13)] == [False, False, True]


def test_a_page_is_a_report_of_its_section_with_a_link_back(
    make_result: Make, provenance: Provenance, tmp_path: Path
) -> None:
    result = make_result(side=6, section_id="S1.b", notes=("do not rely on it",))
    report = Report(file=tmp_path / "report.html", provenance=provenance, reliability={}, paged=True)
    view = report.add(result)
    write_report(tmp_path / "alone.html", [build_section_view(result)], provenance, reliability={})
    page = (tmp_path / "report_sections" / "S1.b.html").read_text()
    assert BACK in page
    assert page.replace(BACK, "") == (tmp_path / "alone.html").read_text()
    assert (view.photo, view.canvas, view.genes, view.profile) == ("", {}, {}, "")


def test_the_index_links_to_every_page_and_holds_no_spot(
    make_result: Make, provenance: Provenance, tmp_path: Path
) -> None:
    report = Report(file=tmp_path / "my report 100%.html", provenance=provenance, paged=True)
    views = [report.add(make_result(side=6, section_id=name)) for name in ("A", "B.2")]
    files = report.finish(views)
    index = files[0].read_text()
    links = [unquote(link) for link in re.findall(r'href="([^"]*)"', index)]
    assert [tmp_path / link for link in links] == files[1:]
    assert {file.name for file in files[1:]} == {"A.html", "B.2.html"}
    assert make_result(side=6).spots.index[0] not in index
    back = re.search(r'<nav.*href="([^"]*)"', files[1].read_text())
    assert back is not None
    assert (files[1].parent / unquote(back[1])).resolve() == files[0]


def test_the_index_counts_sections_without_regions_instead_of_listing_them(
    make_result: Make, provenance: Provenance, tmp_path: Path
) -> None:
    report = Report(file=tmp_path / "report.html", provenance=provenance, paged=True)
    odd = make_result(side=6, spots=make_result(side=6).spots.assign(ood=2.0))
    report.finish([report.add(odd), report.add(make_result(side=6, section_id="S2"))])
    assert "1 of 2 sections. Do not rely on their calls." in (tmp_path / "report.html").read_text()


def test_pages_are_listed_in_the_manifest_and_go_with_their_report(
    make_result: Make, provenance: Provenance, tmp_path: Path
) -> None:
    results = [make_result(side=6, section_id=name) for name in ("A", "B")]
    paths = write_folder(tmp_path, results, provenance, paged=True)
    pages = {"report_sections/A.html", "report_sections/B.html"}
    assert names_below(tmp_path) == {"report.html"} | pages
    assert {path.relative_to(tmp_path).as_posix() for path in paths} > pages
    listed = {record["name"] for record in json.loads((tmp_path / "manifest.json").read_text())["files"]}
    assert listed > pages

    write_folder(tmp_path, results[:1], provenance, paged=True)
    assert names_below(tmp_path) == {"report.html", "report_sections/A.html"}
    write_folder(tmp_path, results, provenance)
    assert names_below(tmp_path) == {"report.html"}
    assert not (tmp_path / "report_sections").exists()


def test_files_of_others_in_the_folder_of_pages_stay(make_result: Make, provenance: Provenance, tmp_path: Path) -> None:
    results = [make_result(side=6, section_id=name) for name in ("A", "B")]
    write_folder(tmp_path, results, provenance, paged=True)
    (tmp_path / "report_sections" / "mine.html").write_text("<p>the user's own</p>")
    write_folder(tmp_path, results, provenance)
    assert names_below(tmp_path) == {"report.html", "report_sections/mine.html"}


def test_a_file_in_the_place_of_the_pages_is_named_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "report_sections").write_text("")
    with pytest.raises(InputError, match="report_sections is a file"):
        require_own(tmp_path, [])


def test_a_link_in_the_place_of_the_pages_is_refused_and_nothing_behind_it_is_removed(
    make_result: Make, provenance: Provenance, tmp_path: Path
) -> None:
    theirs = write_folder(tmp_path / "theirs", [make_result(side=6)], provenance, paged=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "report_sections").symlink_to(tmp_path / "theirs" / "report_sections")
    with pytest.raises(InputError, match="report_sections is a link"):
        write_folder(tmp_path / "mine", [make_result(side=6, section_id="S2")], provenance)
    with pytest.raises(InputError, match="report_sections is a link"), replacing_report(tmp_path / "mine/report.html"):
        pytest.fail("nothing is written")
    remove_stale_pages(tmp_path / "mine" / "report.html")
    assert all(file.exists() for file in theirs)
