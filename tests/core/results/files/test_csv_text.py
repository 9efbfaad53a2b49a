"""Text from outside in CSV files: what a spreadsheet would compute is made text, everything else stays as it is."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from spacrd_core.detection.attribution import DrivingGene
from spacrd_core.results.files.csv_text import as_text
from spacrd_core.results.files.genes_csv import write_genes_csv
from spacrd_core.results.files.spots_csv import write_spots_csv
from spacrd_core.results.result import SectionResult

FORMULA = '=HYPERLINK("http://evil.example","GAPDH")'


IDS = ("10x20", "AAACAAGTATCTCCCA-1", "s_002um_00012_00034-1", "CN73_C2", "aaaadnje-1", "(1,-2)", "'quoted", "a,-b")
GENES = ("HLA-A", "MT-CO1", "ENSG00000141510.18", "Ki67+", "p=0.05", "Größe", "")
NUMBERS = ("-1.5", "+3", "1e-5", " -7 ")


@pytest.mark.parametrize("text", [*IDS, *GENES, *NUMBERS])
def test_ids_genes_and_numbers_are_not_changed(text: str) -> None:
    assert as_text(text) == text


@pytest.mark.parametrize(
    "text",
    [FORMULA, "=1+1", "+1+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "\r=1", '"=1"', "-cmd", "\uff1d1", "\ufeff=1"[1:]],
)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(text: str) -> None:
    assert as_text(text).startswith("'")
    assert as_text(text).replace("'", "") == text


@pytest.mark.parametrize("text", ["A;=1", "A\n=1", "A\t-b", "A|@x"])
def test_nor_does_a_formula_begin_where_another_spreadsheet_begins_a_cell(text: str) -> None:
    assert as_text(text) == f"{text[:2]}'{text[2:]}"


def test_no_cell_of_a_section_s_tables_is_a_formula(make_result: Callable[..., SectionResult], tmp_path: Path) -> None:
    result = make_result(side=4, genes=(DrivingGene(FORMULA, 0.5, 1.0, None), DrivingGene("ERBB2", -0.5, 1.0, 2.0)))
    first = {result.spots.index[0]: FORMULA}
    result.adata.obs_names = result.adata.obs_names.map(lambda name: first.get(name, name))
    result = replace(result, spots=result.spots.rename(index=first))
    write_genes_csv(result, tmp_path / "genes.csv")
    write_spots_csv(result, tmp_path / "spots.csv")
    for name in ("genes.csv", "spots.csv"):
        with (tmp_path / name).open(newline="") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        assert f"'{FORMULA}" in cells
        assert not [cell for cell in cells if cell.startswith(("=", "@"))]
