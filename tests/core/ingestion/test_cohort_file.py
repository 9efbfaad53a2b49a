"""A cohort file: one row per section, all mistakes at once."""

from pathlib import Path

import pytest

from spacrd_core.errors import ConfigError, InputError
from spacrd_core.ingestion.cohort_file import read_cohort


def test_paths_of_a_cohort_file_are_relative_to_it(cohort: Path) -> None:
    first = read_cohort(cohort, {})[0]
    assert first.path.is_file()
    assert first.labels is not None
    assert first.labels.is_file()


def test_a_cohort_file_reports_every_mistake_at_once(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,mpp,colour\na.tsv,fast,red\n,0.5,\n")
    with pytest.raises(ConfigError) as caught:
        read_cohort(file, {})
    for mistake in ("line 2: mpp", "line 2: unknown setting 'colour'", "line 3: missing setting 'path'"):
        assert mistake in str(caught.value)


@pytest.mark.parametrize(
    "rows", ["path,name\na.tsv,A1\nb.tsv,B1\nc.tsv,A1\n", "path,name\nx/A1.tsv.gz,\nb.tsv,B1\ny/A1.tsv.gz,\n"]
)
def test_two_rows_of_one_name_are_refused_with_their_lines(tmp_path: Path, rows: str) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text(rows)
    with pytest.raises(ConfigError, match="lines 2 and 4 both name 'A1'"):
        read_cohort(file, {})


def test_mistakes_are_found_at_the_line_an_editor_shows(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,mpp\na.tsv,0.5\n\n\nb.tsv,fast\n")
    with pytest.raises(ConfigError, match="line 5: mpp"):
        read_cohort(file, {})


def test_a_cohort_file_that_is_not_utf8_is_refused_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_bytes("path,patient\na.tsv,M\xfcller\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"the cohort file .* is not a text table") as caught:
        read_cohort(file, {})
    assert "UTF-8" in caught.value.hint


def test_several_positive_words_stand_in_one_cell(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,positive,no_image\na.tsv,tumour; dcis,true\n")
    section = read_cohort(file, {})[0]
    assert section.positive == ("tumour", "dcis")
    assert section.no_image


def test_shared_options_hold_where_a_row_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,patient\na.tsv,P9\nb.tsv,\n")
    assert [row.patient for row in read_cohort(file, {"patient": "P1"})] == ["P9", "P1"]


def test_a_reader_named_in_a_row_takes_the_shared_reader_options(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,reader\na,visium_hd\nb,\n")
    shared = {"reader": {"name": "visium", "genome": "GRCh38"}}
    readers = [section.reader for section in read_cohort(file, shared)]
    assert [(reader.name, reader.options) for reader in readers] == [
        ("visium_hd", {"genome": "GRCh38"}),
        ("visium", {"genome": "GRCh38"}),
    ]


@pytest.mark.parametrize("column", ["replace", "reader_options"])
def test_a_column_that_is_no_option_of_a_section_is_refused(tmp_path: Path, column: str) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text(f"path,{column}\na.tsv,true\n")
    with pytest.raises(ConfigError, match=f"line 2: unknown setting '{column}'") as caught:
        read_cohort(file, {})
    assert caught.value.hint.startswith("columns: path, name, ")


SPREADSHEETS = {
    "semicolons": "\ufeffpath;name;patient;um_per_px\r\na.tsv;A;01;2,5\r\n;;;\r\n\r\n",
    "capitals": "Path, Name , PATIENT,UM per px\r\n a.tsv, A , 01,2.5\r\n,,,\r\n",
    "tabs": "path\tname\tpatient\tum-per-px\na.tsv\tA\t01\t2,5\n",
    "quotes": '"path";"name";"patient";"um_per_px"\n"a.tsv";"A";"01";"2,5"\n',
    "separator": "sep=;\r\npath;name;patient;um_per_px\r\na.tsv;A;01;2,5\r\n",
    "columns": "path,name,patient,um_per_px,,\na.tsv,A,01,2.5,,\n,,,,,\n",
    "comma in quotes": 'path,name,patient,um_per_px\na.tsv,A,01,"2,5"\n',
}


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_what_spreadsheets_write_is_one_section(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "cohort.csv"
    file.write_bytes(SPREADSHEETS[kind].encode())
    (section,) = read_cohort(file, {})
    assert (section.path, section.name, section.patient, section.um_per_px) == (tmp_path / "a.tsv", "A", "01", 2.5)


def test_paths_of_windows_are_read_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path;image\ndata\\runA\\outs;data\\runA\\slide.tif\n")
    section = read_cohort(file, {})[0]
    assert (section.path, section.image) == (tmp_path / "data/runA/outs", tmp_path / "data/runA/slide.tif")


@pytest.mark.skipif("os.sep != '/'")
def test_a_backslash_in_a_name_is_kept_where_there_is_such_a_file(tmp_path: Path) -> None:
    (tmp_path / "a\\b.tsv").touch()
    file = tmp_path / "cohort.csv"
    file.write_text("path\na\\b.tsv\n")
    assert read_cohort(file, {})[0].path == tmp_path / "a\\b.tsv"


def test_lines_are_those_of_the_file_below_an_instruction_for_excel(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("sep=;\npath;mpp\n;;\na.tsv;fast\n")
    with pytest.raises(ConfigError, match="line 4: mpp"):
        read_cohort(file, {})


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("path,Path\na.tsv,b.tsv\n", "more than one column 'path'"),
        ("path,name\na.tsv,A,extra\n", "line 2: unknown setting 'more cells than columns'"),
        ("path,\na.tsv,x\n", "line 2: unknown setting 'column without a name'"),
        ("path;name\n;\n;\n", "lists no section"),
    ],
)
def test_cells_that_belong_to_no_column_are_mistakes(tmp_path: Path, text: str, phrase: str) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text(text)
    with pytest.raises(ConfigError, match=phrase):
        read_cohort(file, {})


def test_a_file_that_ends_within_its_last_row_is_refused_because_a_patient_may_be_lost(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("path,name,patient\na.tsv,A,P1\nb.tsv,B")
    with pytest.raises(InputError, match=r"ends within its last row, which has 2 of 3 cells and no end of line"):
        read_cohort(file, {})
    file.write_text("path,name,patient\na.tsv,A,P1\nb.tsv,B\n")
    assert [options.patient for options in read_cohort(file, {})] == ["P1", ""]


def test_a_quote_without_an_end_is_refused_because_it_hides_the_sections_below_it(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text('path,patient\na.tsv,"P1\nb.tsv,P2\n')
    with pytest.raises(InputError, match="is not a table: unexpected end of data"):
        read_cohort(file, {})


@pytest.mark.parametrize(
    ("text", "phrase"), [("path" + ",a" * 1000, "1,001 columns"), ("path\n" + "\n" * 100_001, "lines")]
)
def test_what_is_no_list_of_sections_by_its_size_is_refused(tmp_path: Path, text: str, phrase: str) -> None:
    (tmp_path / "cohort.csv").write_text(text)
    with pytest.raises(InputError, match=phrase):
        read_cohort(tmp_path / "cohort.csv", {})
