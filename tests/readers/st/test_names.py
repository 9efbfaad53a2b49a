"""Which files belong to a legacy ST section, by their names."""

from pathlib import Path

import pytest

from spacrd_readers.st.names import section_images, section_name, spot_tables

SPOT_TABLES = {
    "A1": "A1_selection.tsv",
    "GSM42_P2_ST_rep1": "GSM42_spot_data-selection-P2_ST_rep1.tsv.gz",
    "GSM43_P2_ST_rep2": "spot_data-selection-P2_ST_rep2.tsv.gz",
    "BC23_C1": "spots_BC23_C1.csv.gz",
    "BC23_D1": "BC23_D1_Coords.tsv",
}
OTHERS = (
    "._A1_selection.tsv",
    "A1_labeled_coordinates.tsv",
    "A1_selection.png",
    "A1.tsv",
    "A10_selection.tsv",
    "x.csv",
)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for name in (*SPOT_TABLES.values(), *OTHERS):
        (tmp_path / name).touch()
    return list(tmp_path.iterdir())


@pytest.mark.parametrize("section", SPOT_TABLES)
def test_a_spot_table_is_found_by_the_name_of_its_section(files: list[Path], section: str) -> None:
    assert [path.name for path in spot_tables(files, section)] == [SPOT_TABLES[section]]


def test_a_selection_comes_before_other_tables_of_spots(tmp_path: Path) -> None:
    for name in ("A1_Coords.tsv", "spots_A1.csv", "A1_selection.tsv"):
        (tmp_path / name).touch()
    names = [path.name for path in spot_tables(tmp_path.iterdir(), "A1")]
    assert names == ["A1_selection.tsv", "spots_A1.csv", "A1_Coords.tsv"]


def test_without_a_name_all_tables_of_spots_are_found(files: list[Path]) -> None:
    assert {path.name for path in spot_tables(files)} == {*SPOT_TABLES.values(), "A10_selection.tsv"}


def test_images_are_found_by_the_name_of_their_section_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("HE_C1.jpg", "._HE_C1.jpg", "HE_C10.jpg", "C1.tsv"):
        (tmp_path / name).touch()
    assert [path.name for path in section_images(tmp_path.iterdir(), "C1")] == ["HE_C1.jpg"]
    (tmp_path / "C1_HE.png").touch()
    assert [path.name for path in section_images(tmp_path.iterdir(), "C1")] == ["C1_HE.png"]
    assert len(section_images(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("A1.tsv.gz", "A1"),
        ("ut_A1_stdata_filtered.tsv", "A1"),
        ("BC23_C1_stdata.tsv.gz", "BC23_C1"),
        ("GSM3_PDAC-A-ST1-filtered.txt.gz", "GSM3_PDAC-A-ST1"),
    ],
)
def test_the_section_is_named_by_its_counts(name: str, section: str) -> None:
    assert section_name(Path(name)) == section
