"""Links from the report to the files beside it: only to those that were written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from spacrd_core.results.folder import write_folder
from spacrd_core.results.report.links import listed_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.results.result import Provenance, SectionResult


def linked(page: Path) -> set[Path]:
    """Return the files that a page links to."""
    part = re.search(r'<p class="files">.*?</p>', page.read_text(encoding="utf-8"))
    assert part is not None
    return {(page.parent / unquote(link)).resolve() for link in re.findall(r'href="(.*?)"', part[0])}


@pytest.mark.parametrize("paged", [False, True])
def test_the_report_links_to_the_files_of_a_section_and_every_link_leads_to_one(
    make_result: Callable[..., SectionResult], provenance: Provenance, tmp_path: Path, *, paged: bool
) -> None:
    name = "S1 100%#2"
    write_folder(tmp_path, [make_result(side=6, section_id=name)], provenance, paged=paged)
    page = tmp_path / "report_sections" / f"{name}.html" if paged else tmp_path / "report.html"
    files = linked(page)
    assert {tmp_path / f"{name}.{kind}" for kind in ("h5ad", "geojson", "png", "spots.csv", "loupe.csv")} == files
    assert all(file.is_file() for file in files)
    assert listed_files(tmp_path, provenance.detector) > {file.name for file in files}
    assert listed_files(tmp_path, "another detector") == frozenset()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert "name" not in manifest["provenance"]
