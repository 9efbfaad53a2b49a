"""``spacrd report``: the stored calls of a detector, with what copy number says of each section."""

import html
import re
from pathlib import Path

import pytest

from spacrd_cli.main import run


@pytest.fixture(scope="module")
def sections(aneuploid: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The sections of a report of the stored calls, as HTML."""
    file = tmp_path_factory.mktemp("report") / "r.html"
    assert run(["report", f"{aneuploid}/store", "prior", "-o", str(file), "-q"]) == 0
    parts = re.split(r'<section class="section" id="section-\d+".*?>\n<h2>', html.unescape(file.read_text()))
    return {part.split(maxsplit=1)[0]: part for part in parts[1:]}


def test_a_section_with_gains_has_its_verdict_arms_and_profile(sections: dict[str, str]) -> None:
    assert re.search(r"<dt>Copy number</dt><dd>supported \(Z \d+\.\d\)</dd>", sections["GAIN"])
    assert re.search(r"<p>Gains and losses of chromosome arms go with .*8q\+.*</p>", sections["GAIN"])
    assert sections["GAIN"].count('<img class="profile" src="data:image/svg+xml;base64,') == 1


def test_a_section_without_gains_has_a_warning_and_a_profile(sections: dict[str, str]) -> None:
    assert re.search(r"<dt>Copy number</dt><dd>no evidence \(Z -?\d\.\d\)</dd>", sections["EVEN"])
    assert re.search(r'<p class="warning">.*there is no copy-number evidence.*</p>', sections["EVEN"])
    assert "this does not exclude tumour" in sections["EVEN"]


def test_a_section_of_too_few_genes_has_the_reason_and_no_profile(sections: dict[str, str]) -> None:
    assert re.search(r"<dt>Copy number</dt><dd>unknown: genes with enough counts: \d+ on \d+", sections["FEW"])
    assert "Copy number along the genome" not in sections["FEW"]
