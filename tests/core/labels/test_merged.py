from pathlib import Path

import pytest
from bundles.labelled import BARCODES, BINS, GRID_NAMES, Grid, attach, labels, remarks, table

from spacrd_core.errors import LabelError

CORES = tuple(name.removesuffix("-1") for name in BARCODES)
TUMOR, NORMAL = ["Tumor"] * 16, ["Normal"] * 16


def merged(*markers: str) -> list[str]:
    return [marker.replace("*", core) for marker in markers for core in CORES]


@pytest.mark.parametrize("markers", [("*-1", "*-2"), ("A_*-1", "B_*-1"), ("*-1-0", "*-1-1"), ("*_1", "*_2")])
@pytest.mark.parametrize("count", [17, 32])
def test_a_table_of_several_sections_is_refused_however_few_rows_the_other_has(
    tmp_path: Path, markers: tuple[str, str], count: int
) -> None:
    text = table("Barcode,Pathology", merged(*markers)[:count], (TUMOR + NORMAL)[:count])
    with pytest.raises(LabelError, match="has labels of 2 sections, by its ids") as caught:
        attach(tmp_path / "labels.csv", text, Grid().section())
    assert "--label-section" in caught.value.hint


def test_a_table_of_another_number_in_its_run_is_refused_with_the_option(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="has labels of the section -2, but this section's ids look like") as caught:
        attach(tmp_path / "labels.csv", table("Barcode,Pathology", merged("*-2"), TUMOR), Grid().section())
    assert "--label-section -2" in caught.value.hint


def test_the_rows_with_the_own_name_of_a_section_are_taken_with_a_note(tmp_path: Path) -> None:
    section = Grid(merged("B_*-1")).section()
    text = table("Barcode,Pathology", merged("A_*-1", "B_*-1"), TUMOR + NORMAL)
    after = attach(tmp_path / "labels.csv", text, section)
    assert labels(after) == ["normal"] * 16
    assert any("those of B_ were taken" in note for note in remarks(after))


@pytest.mark.parametrize(("own", "others"), [("*-1", "A_*-1"), ("*-1", "A_*"), ("A_*-1", "*-1"), ("A_*", "*-1")])
def test_a_name_before_the_barcode_may_be_missing_on_one_side(tmp_path: Path, own: str, others: str) -> None:
    text = table("Barcode,Pathology", merged(others), [*TUMOR[:8], *NORMAL[:8]])
    after = attach(tmp_path / "labels.csv", text, Grid(merged(own)).section())
    assert labels(after) == ["cancer"] * 8 + ["normal"] * 8
    assert any("were matched to ids like" in note for note in remarks(after))


def test_another_name_before_the_barcode_is_another_section(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="labels of the section A_"):
        attach(
            tmp_path / "labels.csv",
            table("Barcode,Pathology", merged("A_*-1"), TUMOR),
            Grid(merged("B_*-1")).section(),
        )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("s_016um_{:05}_00000-1", "--set reader.bin_um=16 --set reader.spot_um=64"),
        ("s_002um_{:05}_00000-1", "--set reader.bin_um=2"),
        ("cellid_{:09}-1", "--set reader.unit=cell"),
    ],
)
def test_labels_of_other_bins_or_cells_are_refused_with_the_options_that_read_them(
    tmp_path: Path, name: str, hint: str
) -> None:
    text = table("Barcode,Pathology", [name.format(n) for n in range(16)], TUMOR)
    with pytest.raises(LabelError, match="neither spots nor bins") as caught:
        attach(tmp_path / "labels.csv", text, Grid(GRID_NAMES, BINS, kind="bin").section())
    assert caught.value.hint.endswith(hint)
