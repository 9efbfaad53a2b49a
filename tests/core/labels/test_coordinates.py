from pathlib import Path

import numpy as np
import pytest
from bundles.labelled import BARCODES, CELLS, GRID_NAMES, NUMBERS, Grid, attach, labels, remarks, table

from spacrd_core.errors import LabelError
from spacrd_core.section.section import Section

NAMES = ["Tumor"] * 8 + ["Normal"] * 8
LABELS = ["cancer"] * 8 + ["normal"] * 8
VISIUM_COLUMNS = "pxl_col_in_fullres,pxl_row_in_fullres"


def placed(section: Section, unit: str) -> np.ndarray:
    return np.asarray(section.counts.obs[[f"x_{unit}", f"y_{unit}"]], dtype=float)


def by_barcode(columns: str, positions: np.ndarray) -> str:
    return table(f"barcode,{columns},label", BARCODES, *positions.T, NAMES)


@pytest.mark.parametrize(
    ("columns", "unit", "factor"),
    [
        (VISIUM_COLUMNS, "px", 1.0),
        ("imagecol,imagerow", "px", 0.17),  # of the hires image
        ("imagerow,imagecol", "px", 1.0),  # named the other way round
        ("x_px,y_px", "px", 1.0),
        ("x_um,y_um", "um", 1.0),
        ("x_centroid,y_centroid", "um", 1.0),
        ("x,y", "px", 2.5),
        ("x,y", "um", 1.0),
    ],
)
def test_coordinates_of_the_section_confirm_the_table_at_any_scale(
    tmp_path: Path, columns: str, unit: str, factor: float
) -> None:
    section = Grid().section()
    after = attach(tmp_path / "labels.csv", by_barcode(columns, placed(section, unit) * factor), section)
    assert labels(after) == LABELS
    assert remarks(after) == ()


def test_a_table_of_another_section_with_the_same_barcodes_is_refused_by_its_coordinates(tmp_path: Path) -> None:
    section, path = Grid().section(), tmp_path / "labels.csv"
    elsewhere = placed(section, "px") + np.array([90.0, -140.0])
    with pytest.raises(LabelError) as caught:
        attach(path, by_barcode(VISIUM_COLUMNS, elsewhere), section)
    assert f"{path} is not from this section: its pxl_col_in_fullres, pxl_row_in_fullres" in str(caught.value)
    assert "0.8 pitches (median)" in str(caught.value)
    assert "check that the file is that of this section" in caught.value.hint


@pytest.mark.parametrize("columns", ["x_um,y_um", "imagecol,imagerow", "x,y", "array_col,array_row"])
def test_positions_that_fit_at_no_scale_are_refused_in_any_columns(tmp_path: Path, columns: str) -> None:
    section = Grid().section()
    reversed_order = placed(section, "um")[::-1]
    with pytest.raises(LabelError, match="is not from this section"):
        attach(tmp_path / "labels.csv", by_barcode(columns, reversed_order), section)


def test_whole_number_array_positions_confirm_nothing(tmp_path: Path) -> None:
    section = Grid().section()
    array = section.counts.obs[["array_y", "array_x"]].to_numpy(dtype=float) + 1
    after = attach(tmp_path / "labels.csv", by_barcode("array_row,array_col", array), section)
    assert remarks(after) == (
        "labels.csv: labels matched only by ids like AAAAAAAAAAAAAAAA-1, which other sections may have as well",
    )


def test_array_positions_with_decimals_beside_ids_must_equal_those_of_the_section(tmp_path: Path) -> None:
    section, path = Grid(GRID_NAMES).section(), tmp_path / "labels.csv"
    jitter = np.random.default_rng(0).uniform(-0.2, 0.2, (16, 2))
    section.counts.obs[["array_x", "array_y"]] += jitter
    x, y = section.counts.obs[["array_x", "array_y"]].to_numpy(dtype=float).T
    assert remarks(attach(path, table("id,x,y,label", GRID_NAMES, x, y, NAMES), section)) == ()
    with pytest.raises(LabelError, match=r"the x, y of .* are 0\.050 array steps off this section's spots"):
        attach(path, table("id,x,y,label", GRID_NAMES, x + 0.05, y - 0.05, NAMES), section)


def test_columns_named_x_and_y_are_ignored_if_others_match(tmp_path: Path) -> None:
    section = Grid().section()
    embedded = np.random.default_rng(0).normal(size=(16, 2))
    both = np.hstack([embedded, placed(section, "px")])
    assert remarks(attach(tmp_path / "labels.csv", by_barcode(f"x,y,{VISIUM_COLUMNS}", both), section)) == ()


@pytest.mark.parametrize("cells", [["", ""], ["NA", "NA"], ["left", "right"], ["5", "5"]])
def test_columns_without_positions_are_no_evidence(tmp_path: Path, cells: list[str]) -> None:
    after = attach(tmp_path / "labels.csv", by_barcode("x,y", np.array([cells] * 16)), Grid().section())
    assert any("other sections may have as well" in note for note in remarks(after))


def test_rows_without_a_position_do_not_hide_a_mismatch_of_the_others(tmp_path: Path) -> None:
    section = Grid().section()
    positions = placed(section, "px")[::-1].copy()
    positions[::3] = np.nan
    with pytest.raises(LabelError, match="is not from this section"):
        attach(tmp_path / "labels.csv", by_barcode(VISIUM_COLUMNS, positions), section)


def centroids(section: Section) -> np.ndarray:
    """Return the centres of four cells per spot, anywhere in it."""
    return np.repeat(placed(section, "um"), 4, axis=0) + np.random.default_rng(0).uniform(-30, 30, (64, 2))


def test_the_centres_of_its_own_cells_confirm_a_table_of_numbered_cells(tmp_path: Path) -> None:
    section = Grid(GRID_NAMES, NUMBERS).section()
    text = table("cell_id,x_centroid,y_centroid,cluster", NUMBERS, *centroids(section).T, ["Stromal"] * 64)
    after = attach(tmp_path / "cells.csv", text, section)
    assert not any("other sections" in note for note in after.notes)


def test_numbered_cells_of_another_bundle_are_refused_by_their_centres(tmp_path: Path) -> None:
    section, path = Grid(GRID_NAMES, NUMBERS).section(), tmp_path / "cells.csv"
    text = table("cell_id,x_centroid,y_centroid,cluster", NUMBERS, *centroids(section)[::-1].T, ["Stromal"] * 64)
    with pytest.raises(LabelError, match=r"its x_centroid, y_centroid are 2\.\d pitches \(median\) from the spots"):
        attach(path, text, section)


def test_a_cell_table_of_the_bundle_itself_with_labels_added_is_read(tmp_path: Path) -> None:
    section = Grid(GRID_NAMES, CELLS).section()
    header = "cell_id,x_centroid,y_centroid,transcript_counts,total_counts,label"
    text = table(header, CELLS, *centroids(section).T, range(64), range(64), ["DCIS_1"] * 64)
    assert labels(attach(tmp_path / "cells.csv", text, section)) == ["cancer"] * 16


def test_label_files_of_her2st_with_an_upward_y_axis_are_not_refused(tmp_path: Path) -> None:
    section = Grid(GRID_NAMES).section()
    flipped = placed(section, "px") * [1.0, -1.0] + [0.0, 9000.0]
    text = table("id,pixel_x,pixel_y,label", GRID_NAMES, *flipped.T, NAMES)
    assert labels(attach(tmp_path / "labels.csv", text, section)) == LABELS


def test_coordinates_that_only_nearly_agree_confirm_nothing(tmp_path: Path) -> None:
    section = Grid().section()
    nearly = placed(section, "px") + np.random.default_rng(0).normal(0, 0.05 * 200, (16, 2))
    after = attach(tmp_path / "labels.csv", by_barcode(VISIUM_COLUMNS, nearly), section)
    assert "other sections may have as well" in remarks(after)[0]


@pytest.mark.parametrize("columns", ["pxl_col_in_fullres;pxl_row_in_fullres", "x;y", "x_um;y_um"])
def test_decimal_commas_count_as_decimal_points_do(tmp_path: Path, columns: str) -> None:
    section, path = Grid().section(), tmp_path / "labels.csv"
    positions = placed(section, "um" if "um" in columns else "px") + 0.125

    def text(values: np.ndarray) -> str:
        cells = [f"{name};{label};{x:.3f};{y:.3f}" for name, label, (x, y) in zip(BARCODES, NAMES, values, strict=True)]
        return "\n".join([f"Barcode;Pathology;{columns}", *(cell.replace(".", ",") for cell in cells)])

    assert remarks(attach(path, text(positions), section)) == ()
    with pytest.raises(LabelError, match="is not from this section"):
        attach(path, text(positions[::-1]), section)


def test_coordinates_that_are_no_numbers_are_left_out_with_a_note(tmp_path: Path) -> None:
    after = attach(tmp_path / "labels.csv", by_barcode("x,y", np.array([["1.5 mm", "2"]] * 16)), Grid().section())
    assert "labels.csv: not compared: 16 cells of the column x that are not numbers ('1.5 mm')" in after.notes
