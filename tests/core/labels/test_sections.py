from pathlib import Path

import pyarrow as pa
import pytest

from spacrd_core.errors import LabelError
from spacrd_core.labels.sections import display, marker_counts, without_marker
from spacrd_core.labels.tables import LabelTable, read_labels

CORES = ("AAAAAAAAAAAAAAAC", "AAAAAAAAAAAAAAAG")


def ids(*pattern: str) -> pa.Array:
    return pa.array([marker.replace("*", core) for marker in pattern for core in CORES], pa.large_string())


def read(tmp_path: Path, text: str, section: str = "") -> LabelTable:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    table = read_labels(path, section)
    assert isinstance(table, LabelTable)
    return table


def rows(markers: dict[str, str], column: str = "") -> str:
    """Return a table of two barcodes per section, each with the label of its section."""
    header = f"Barcode,{column},Pathology\n" if column else "Barcode,Pathology\n"
    lines = [
        f"{(marker if not column else '*-1').replace('*', core)},{f'{marker},' if column else ''}{label}\n"
        for marker, label in markers.items()
        for core in CORES
    ]
    return header + "".join(lines)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("*-1", "*-2"), {"*-1": 2, "*-2": 2}),
        (("S1_*-1", "S2_*-1"), {"S1_*-1": 2, "S2_*-1": 2}),
        (("*-1_1", "*-1_2"), {"*-1_1": 2, "*-1_2": 2}),
        (("*", "*-1"), {"*-1": 4}),
        (("lung.b#*", "lung.a#*"), {"lung.b#*": 2, "lung.a#*": 2}),
    ],
)
def test_ids_are_told_apart_by_what_is_around_the_barcode(patterns: tuple[str, ...], expected: dict[str, int]) -> None:
    assert marker_counts(ids(*patterns)) == expected
    assert set(without_marker(ids(*patterns)).to_pylist()) == set(CORES)


def test_bins_cells_and_array_positions_of_merged_objects_are_told_apart_as_well() -> None:
    for name in ("s_008um_00001_00002-1", "cellid_000000001-1", "aaaabbbb-1", "10x13"):
        merged = pa.array([f"A_{name}", f"B_{name}"], pa.large_string())
        assert len(marker_counts(merged)) == 2
    assert marker_counts(pa.array(["one", "two_3"], pa.large_string())) == {}


def test_a_section_is_called_what_distinguishes_it() -> None:
    names = {"*-2": "-2", "S1_*-1": "S1_", "*-1_2": "_2", "*-10": "-10", "A_*-2": "A_*-2", "*": "*"}
    assert {marker: display(marker) for marker in names} == names


@pytest.mark.parametrize("column", ["sample", "Section", "library_id", "orig.ident"])
def test_several_sections_in_a_column_are_refused_with_the_choices(tmp_path: Path, column: str) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, rows({"lung 1": "Tumor", "lung 2": "Normal"}, column))
    message = f"labels of 2 sections, by its column '{column.lower()}': lung 1 (2), lung 2 (2)"
    assert message in str(caught.value)
    assert "--label-section" in caught.value.hint


@pytest.mark.parametrize("choice", ["lung 2", "Lung-2"])
def test_the_chosen_section_of_a_column_is_read_with_a_note(tmp_path: Path, choice: str) -> None:
    table = read(tmp_path, rows({"lung 1": "Tumor", "lung 2": "Normal"}, "sample"), choice)
    assert list(table.rows["value"]) == ["Normal", "Normal"]
    assert table.notes == ("labels.csv: labels of 2 sections; those of lung 2 were taken: lung 1 (2), lung 2 (2)",)


def test_a_column_with_one_section_is_no_obstacle(tmp_path: Path) -> None:
    assert read(tmp_path, rows({"lung": "Tumor"}, "sample")).notes == ()


@pytest.mark.parametrize("choice", ["-2", "2", "*-2"])
def test_the_chosen_suffix_of_an_aggregated_run_is_read(tmp_path: Path, choice: str) -> None:
    table = read(tmp_path, rows({"*-1": "Tumor", "*-2": "Normal"}), choice)
    assert list(table.rows["id"]) == list(CORES)
    assert list(table.rows["value"]) == ["Normal", "Normal"]


def test_a_column_of_samples_beside_ids_of_an_aggregated_run_needs_one_choice(tmp_path: Path) -> None:
    text = "Barcode,sample,Pathology\n" + "".join(f"{CORES[0]}-{n},S{n},{label}\n" for n, label in ((1, "a"), (2, "b")))
    table = read(tmp_path, text, "S2")
    assert table.rows[["id", "value"]].to_numpy().tolist() == [[CORES[0], "b"]]


@pytest.mark.parametrize(
    "text", [rows({"*-1": "a", "*-2": "b"}), rows({"A": "a", "B": "b"}, "sample"), "id,label\nx,a\n"]
)
def test_a_choice_that_is_not_there_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LabelError, match="has no labels of the section '-7'") as caught:
        read(tmp_path, text, "-7")
    assert caught.value.hint


def test_a_choice_for_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="is a list of one section"):
        read(tmp_path, "0\n1\n", "-2")


def test_array_positions_of_several_sections_are_told_apart_by_a_column(tmp_path: Path) -> None:
    text = "x,y,sample,label\n1,2,A,Tumor\n1,2,B,Normal\n"
    with pytest.raises(LabelError, match="labels of 2 sections"):
        read(tmp_path, text)
    assert list(read(tmp_path, text, "B").rows["value"]) == ["Normal"]
