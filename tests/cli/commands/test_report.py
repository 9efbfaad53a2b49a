"""``spacrd report``: the stored calls of a detector, with what copy number says of each section."""

import html
import json
import re
import shutil
from pathlib import Path

import pytest

from spacrd_cli.main import run
from spacrd_core.results.report import pages


@pytest.fixture(scope="module")
def sections(aneuploid: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The sections of a report of the stored calls, as HTML."""
    file = tmp_path_factory.mktemp("report") / "r.html"
    assert run(["report", f"{aneuploid}/store", "prior", "-o", str(file), "-q"]) == 0
    parts = re.split(r'<section class="section" id="section-\d+".*?>\n<h2>', html.unescape(file.read_text()))
    return {part.split(maxsplit=1)[0]: part for part in parts[1:]}


def test_a_section_with_gains_has_its_verdict_arms_and_profile(sections: dict[str, str]) -> None:
    assert re.search(r"<dt>Copy number</dt><dd>supported \(Z \d+\.\d\)</dd>", sections["GAIN"])
    assert re.search(r"<p>Gains and losses of chromosome arms coincide with .*8q\+.*</p>", sections["GAIN"])
    assert sections["GAIN"].count('<img class="profile" src="data:image/svg+xml;base64,') == 1


def test_a_section_without_gains_has_a_warning_and_a_profile(sections: dict[str, str]) -> None:
    assert re.search(r"<dt>Copy number</dt><dd>no evidence \(Z -?\d\.\d\)</dd>", sections["EVEN"])
    assert re.search(r'<p class="warning">.*there is no copy-number evidence.*</p>', sections["EVEN"])
    assert "this does not exclude tumour" in sections["EVEN"]


def test_a_section_of_too_few_genes_has_the_reason_and_no_profile(sections: dict[str, str]) -> None:
    assert re.search(r"<dt>Copy number</dt><dd>unknown: genes with enough counts: \d+ on \d+", sections["FEW"])
    assert "Copy number along the genome" not in sections["FEW"]


@pytest.mark.slow
def test_a_report_of_many_sections_has_a_page_for_each_which_go_when_it_has_few(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_SECTIONS_IN_ONE_FILE", 2)
    command = ["report", f"{aneuploid}/store", "prior", "-o", str(tmp_path / "cohort.html"), "-q", "--json"]
    assert run(command) == 0
    document = json.loads(capsys.readouterr().out)
    files = [Path(file) for file in document["files"]]
    assert [file.relative_to(tmp_path).as_posix() for file in files] == [
        "cohort.html",
        *(f"cohort_sections/{name}.html" for name in document["sections"]),
    ]
    page = (tmp_path / "cohort_sections" / "GAIN.html").read_text()
    assert "Copy number along the genome" in page
    assert len(re.findall("<h2>", page)) == len(re.findall("<h2>", files[0].read_text())) + 1
    assert run([*command, "--section", "GAIN"]) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["cohort.html"]


def test_a_report_in_a_folder_of_results_links_to_its_files_and_names_the_detector(
    aneuploid: Path, tmp_path: Path
) -> None:
    shutil.copytree(aneuploid / "out", tmp_path / "out")
    for folder, linked in ((tmp_path / "out", True), (tmp_path, False)):
        assert run(["report", f"{aneuploid}/store", "prior", "-o", str(folder / "report.html"), "-q"]) == 0
        text = (folder / "report.html").read_text()
        assert ('<a href="./GAIN.geojson">GAIN.geojson</a> (QuPath)' in text) == linked
        assert "called by detector <b>prior</b>" in text


def test_a_file_in_the_place_of_the_pages_is_refused(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r_sections").write_text("")
    assert run(["report", f"{aneuploid}/store", "prior", "-o", str(tmp_path / "r.html")]) == 1
    assert "r_sections is a file" in capsys.readouterr().err
