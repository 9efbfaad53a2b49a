from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles.labelled import BINS, CELLS, GRID_NAMES, NUMBERS, Grid, attach, labels, remarks, table

from spacrd_core.errors import LabelError
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.section.section import Section, SubSpots

# The types of the four cells of each of the first five spots; the other eleven spots have no labelled cell.
FIRST_SPOTS = (
    *("DCIS_1", "DCIS_2", "Stromal", "Stromal"),
    *("DCIS_1", "Stromal", "Stromal", "Unlabeled"),
    *("Invasive_Tumor", "Unlabeled", "T_Cell_&_Tumor_Hybrid", ""),
    *("Unlabeled", "Unlabeled", "Unlabeled", ""),
    *("", "", "", ""),
)


def cells(names: tuple[str, ...] = CELLS, kind: str = "cell") -> Section:
    return Grid(GRID_NAMES, names, kind="bin" if kind == "bin" else "cell").section()


def test_labels_of_cells_become_a_fraction_of_cancer_among_those_of_known_meaning(tmp_path: Path) -> None:
    after = attach(tmp_path / "cells.csv", table("cell_id,group", CELLS[:20], FIRST_SPOTS), cells())
    obs = after.counts.obs
    assert obs["label_fraction"].iloc[:3].tolist() == [0.5, 1 / 3, 1.0]
    assert obs["label_fraction"].iloc[3:].isna().all()
    assert obs["n_labelled"].tolist() == [4, 3, 1, *[0] * 13]
    assert labels(after) == ["cancer", "normal", "cancer", *[None] * 13]
    assert obs["annotation"].tolist()[:5] == ["Stromal", "Stromal", "Invasive_Tumor", "Unlabeled", ""]
    assert not obs["label_contested"].any()
    assert set(obs["label_source"]) == {"cells.csv"}
    assert remarks(after) == (
        "cells.csv: labels of 20 cells; a spot is cancer if at least 50% of its labelled cells are",
        "cells.csv: 13 of 16 spots have no label (11 without a cell in the table, 2 only with cells of unknown label)",
        "cells.csv: cell types are often derived from gene expression, which a detector trained on them would recover",
    )


def test_the_vocabulary_of_the_user_applies_to_cells_as_well(tmp_path: Path) -> None:
    vocabulary = Vocabulary(positive=("DCIS_1",), ignore=("DCIS_2",))
    after = attach(tmp_path / "cells.csv", table("cell_id,group", CELLS[:20], FIRST_SPOTS), cells(), vocabulary)
    assert after.counts.obs["label_fraction"].iloc[:2].tolist() == [1 / 3, 1 / 3]
    assert np.isnan(after.counts.obs["label_fraction"].iloc[2])  # an Invasive_Tumor that was not given is not normal


@pytest.mark.parametrize(("table_suffix", "section_suffix"), [("", "-1"), ("-1", ""), ("-1", "-1")])
def test_barcodes_of_bins_join_with_and_without_their_gem_group(
    tmp_path: Path, table_suffix: str, section_suffix: str
) -> None:
    bare = [name.removesuffix("-1") for name in BINS]
    section = cells(tuple(f"{name}{section_suffix}" for name in bare), "bin")
    text = table("Barcode,pathologist", [f"{name}{table_suffix}" for name in bare], ["Tumor"] * 8 + ["Normal"] * 56)
    after = attach(tmp_path / "bins.csv", text, section)
    assert labels(after) == ["cancer"] * 2 + ["normal"] * 14
    assert len(remarks(after)) == 2
    assert f"matched only by ids like s_008um_00000_00000{section_suffix}," in remarks(after)[0]
    assert remarks(after)[1].startswith("bins.csv: labels of 64 bins")


def test_numbered_cells_join_with_a_note_and_named_cells_without(tmp_path: Path) -> None:
    types = ["Stromal"] * 64
    numbered = attach(tmp_path / "cells.csv", table("Barcode,Cluster", NUMBERS, types), cells(NUMBERS))
    assert remarks(numbered)[0] == "cells.csv: labels matched only by ids like 1, which other sections may have as well"
    named = attach(tmp_path / "cells.csv", table("Barcode,Cluster", CELLS, types), cells())
    assert not any("other sections" in note for note in named.notes)
    assert labels(numbered) == labels(named) == ["normal"] * 16


def test_a_table_that_names_the_spots_labels_the_spots(tmp_path: Path) -> None:
    after = attach(tmp_path / "spots.csv", table("id,label", GRID_NAMES, [1] * 8 + [0] * 8), cells())
    assert labels(after) == ["cancer"] * 8 + ["normal"] * 8
    assert "label_fraction" not in after.counts.obs


def test_new_labels_replace_all_old_ones(tmp_path: Path) -> None:
    before = attach(tmp_path / "cells.csv", table("cell_id,group", CELLS, ["Stromal"] * 64), cells())
    after = attach(tmp_path / "spots.csv", table("id,label", GRID_NAMES, [1] * 16), before)
    assert "n_labelled" not in after.counts.obs
    assert labels(after) == ["cancer"] * 16


def test_cells_outside_all_spots_are_left_out_and_counted(tmp_path: Path) -> None:
    section = cells()
    assert section.sub_spots is not None
    spots = np.where(np.arange(64) < 6, -1, section.sub_spots.spots).astype(np.int32)
    section = replace(section, sub_spots=SubSpots("cell", section.sub_spots.ids, spots))
    after = attach(tmp_path / "cells.csv", table("cell_id,group", CELLS, ["Stromal"] * 64), section)
    assert after.counts.obs["n_labelled"].tolist() == [0, 2, *[4] * 14]
    assert "cells.csv: labels of cells outside all spots, left out: 6" in after.notes


def test_ties_between_texts_are_broken_alphabetically_for_any_order_of_rows(tmp_path: Path) -> None:
    for texts in (["Stromal", "Endothelial"] * 32, ["Endothelial", "Stromal"] * 32):
        after = attach(tmp_path / "cells.csv", table("cell_id,group", CELLS, texts), cells())
        assert set(after.counts.obs["annotation"]) == {"Endothelial"}


def test_few_labels_of_other_cells_are_left_out_and_many_are_another_section(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    after = attach(path, table("cell_id,group", [*CELLS, "pppppppp-1"], ["Stromal"] * 65), cells())
    assert remarks(after)[0] == "cells.csv: labels for cells without counts, left out: 1 (pppppppp-1)"
    others = [f"pppppp{a}{b}-1" for a in "ab" for b in "abcdefgh"]
    with pytest.raises(LabelError) as caught:
        attach(path, table("cell_id,group", [*CELLS, *others], ["Stromal"] * 80), cells())
    assert f"16 of the 80 labels of {path} are for neither spots nor cells of this section" in str(caught.value)
    examples = "like 0x0 and aaaaaaaa-1 (ppppppaa-1, ppppppab-1, ppppppac-1, ppppppad-1, ppppppae-1, ...)"
    assert examples in str(caught.value)
    assert "check that the file is that of this section" in caught.value.hint


def test_labels_of_numbered_cells_do_not_join_named_ones(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    with pytest.raises(LabelError) as caught:
        attach(path, table("Barcode,Cluster", NUMBERS, ["Stromal"] * 64), cells())
    assert f"{path} has cell ids like 1, this section has cell ids like aaaaaaaa-1:" in str(caught.value)
    assert "labels of this bundle" in caught.value.hint
    with pytest.raises(LabelError, match="has cell ids like aaaaaaaa-1, this section has cell ids like 1:"):
        attach(path, table("Barcode,Cluster", CELLS, ["Stromal"] * 64), cells(NUMBERS))


def test_labels_of_numbered_cells_do_not_join_spots_that_are_named_cells(tmp_path: Path) -> None:
    section = Grid(CELLS[:16]).section()
    with pytest.raises(LabelError, match="has cell ids like 1, this section has cell ids like aaaaaaaa-1:"):
        attach(tmp_path / "cells.csv", table("Barcode,Cluster", NUMBERS[:16], ["Stromal"] * 16), section)


def test_a_cell_labelled_twice_by_two_spellings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    repeated = [CELLS[0].removesuffix("-1"), *CELLS]
    with pytest.raises(LabelError) as caught:
        attach(path, table("cell_id,group", repeated, ["Stromal"] * 65), cells())
    assert f"{path} labels 1 cells more than once" in str(caught.value)
    assert "one row per cell" in caught.value.hint


@pytest.mark.benchmarks
def test_labels_of_700_000_cells_become_those_of_their_spots(tmp_path: Path, benchmark: object) -> None:
    count = 700_000
    letters = np.array(list("abcdefghijklmnop"), dtype="S1")
    digits = np.arange(count)[:, None] >> np.arange(28, -4, -4) & 15
    ids = np.char.add(np.ascontiguousarray(letters[digits]).view("S8").ravel(), b"-1")
    spots = np.arange(count, dtype=np.int32) % 16
    section = replace(Grid(GRID_NAMES).section(), sub_spots=SubSpots("cell", ids, spots))
    types = np.array(["DCIS_1", "Stromal", "Unlabeled"])[np.arange(count) % 3]
    text = table("cell_id,group", ids.astype(str).tolist(), types.tolist())
    after = benchmark(attach, tmp_path / "cells.csv", text, section)  # type: ignore[operator]
    assert after.counts.obs["n_labelled"].sum() == pytest.approx(count * 2 / 3, abs=2)
