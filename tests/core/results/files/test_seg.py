"""The profile as segments: IGV reads track, chromosome, first and last base, and the last column as the value."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from stand_ins.copy_number import RUNS, SUPPORTED

from spacrd_core.results.files.seg import write_seg
from spacrd_core.results.result import SectionResult

Make = Callable[..., SectionResult]


def written(result: SectionResult, folder: Path) -> pd.DataFrame:
    write_seg(result, folder / "s.seg")
    return pd.read_csv(folder / "s.seg", sep="\t")


def test_the_columns_are_those_of_the_format_in_its_order(make_result: Make, tmp_path: Path) -> None:
    table = written(make_result(side=4, copy_number=SUPPORTED), tmp_path)
    assert table.columns.tolist() == ["ID", "chrom", "loc.start", "loc.end", "num.mark", "seg.mean"]


def test_each_run_of_genes_is_one_segment_in_bases(make_result: Make, tmp_path: Path) -> None:
    table = written(make_result(side=4, section_id="A 1", copy_number=SUPPORTED), tmp_path)
    assert set(table["ID"]) == {"A 1"}
    assert table["chrom"].tolist() == ["chr1", "chr1", "chr8", "chr8", "chr16"]
    assert table["loc.start"].tolist() == [run.start for run in RUNS]
    assert table["loc.end"].tolist() == [run.end for run in RUNS]
    assert table["num.mark"].tolist() == [110, 95, 101, 99, 120]
    assert table["seg.mean"].tolist() == [0.02, -0.04, 0.5, 0.4, -0.3123]


def test_numbers_have_no_other_notation_than_digits(make_result: Make, tmp_path: Path) -> None:
    write_seg(make_result(side=4, copy_number=SUPPORTED), tmp_path / "s.seg")
    assert (tmp_path / "s.seg").read_bytes().splitlines()[1] == b"S1\tchr1\t1000000\t60000000\t110\t0.02"
