from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from bundles.labelled import remarks
from scipy import sparse

from spacrd_core.errors import LabelError
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.section.section import Section

POSITIONS = {"9x12": (9.1, 12.2), "10x12": (10.2, 11.9), "11x12": (10.8, 12.1), "9x13": (8.9, 13.1)}
BARCODES = ("AAAC-1", "AAAG-1", "AACC-1", "AACG-1")


def section(ids: tuple[str, ...] = tuple(POSITIONS)) -> Section:
    obs = pd.DataFrame(index=list(ids))
    if set(ids) <= set(POSITIONS):
        obs[["array_x", "array_y"]] = [POSITIONS[name] for name in ids]
    counts = ad.AnnData(X=sparse.csr_matrix(np.ones((len(ids), 2), dtype=np.int32)), obs=obs)
    return Section("st", counts, um_per_px=0.7, spot_um=100.0, spot_shape="disc", pitch_um=200.0, notes=("before",))


def attach(tmp_path: Path, text: str, to: Section | None = None, vocabulary: Vocabulary | None = None) -> Section:
    path = tmp_path / "labels.txt"
    path.write_text(text, encoding="utf-8")
    return attach_labels(to or section(), read_labels(path), vocabulary or Vocabulary())


def labels(labelled: Section) -> list[str | None]:
    return [None if pd.isna(label) else str(label) for label in labelled.counts.obs["label"]]


def test_labels_add_their_text_their_file_a_source_and_notes(tmp_path: Path) -> None:
    before = section()
    after = attach(tmp_path, "id,label\n9x12,invasive cancer\n10x12,undetermined\n9x13,breast glands\n", before)
    obs = after.counts.obs
    assert labels(after) == ["cancer", None, None, "normal"]
    assert list(obs["label"].cat.categories) == ["cancer", "normal"]
    assert list(obs["annotation"]) == ["invasive cancer", "undetermined", "", "breast glands"]
    assert set(obs["label_source"]) == {"labels.txt"}
    assert not obs["label_contested"].any()
    assert [source.role for source in after.sources] == ["labels"]
    assert remarks(after)[0] == "before"
    assert remarks(after)[-1] == "labels.txt: 2 of 4 spots have no label (1 without a row, 1 undetermined or blank)"
    assert "label" not in before.counts.obs


def test_positions_join_by_rounding_and_second_labels_mark_their_spot_as_contested(tmp_path: Path) -> None:
    text = (
        "Row.names\tx\ty\tpixel_x\tpixel_y\tlabel\n"
        "1109x348\t9.1\t12.2\t1109\t348\tinvasive cancer\n"
        "1109x3481\tNA\tNA\tNA\tNA\tadipose tissue\n"
        "1230x340\t10.2\t11.9\t1230\t340\tconnective tissue\n"
    )
    after = attach(tmp_path, text)
    assert labels(after) == ["cancer", "normal", None, None]
    assert list(after.counts.obs["label_contested"]) == [True, False, False, False]
    assert "rows without a position, left out: 1, second labels of 1 spots" in remarks(after)[1]


def test_positions_of_another_section_are_refused(tmp_path: Path) -> None:
    shifted = "".join(f"{x + 0.03},{y - 0.03},cancer\n" for x, y in POSITIONS.values())
    with pytest.raises(LabelError, match="array steps off") as caught:
        attach(tmp_path, "x,y,label\n" + shifted)
    assert caught.value.hint


def test_whole_number_positions_are_joined_with_a_note(tmp_path: Path) -> None:
    after = attach(tmp_path, "x,y,label\n9,12,1\n10,12,0\n11,12,0\n9,13,1\n")
    assert labels(after) == ["cancer", "normal", "normal", "cancer"]
    assert "other sections may have as well" in remarks(after)[-1]


def test_a_section_without_array_positions_cannot_be_labelled_by_them(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no array positions"):
        attach(tmp_path, "x,y,label\n9,12,1\n", section(BARCODES))


def test_more_than_a_tenth_of_rows_for_other_spots_is_another_section(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"1 of the 4 labels of .* not in this section \(30x30\)"):
        attach(tmp_path, "id,label\n9x12,1\n10x12,0\n11x12,0\n30x30,1\n")


def test_few_rows_for_other_spots_are_left_out_with_a_note_and_blank_ones_do_not_count(tmp_path: Path) -> None:
    many = section(tuple(f"A{n}" for n in range(20)))
    rows = "".join(f"A{n},1\n" for n in range(19)) + "B0,0\n" + "".join(f"C{n},\n" for n in range(9))
    after = attach(tmp_path, "id,label\n" + rows, many)
    assert any("labels for spots without counts, left out: 1 (B0)" in note for note in after.notes)
    assert labels(after) == ["cancer"] * 19 + [None]


@pytest.mark.parametrize("suffix", ["", "-1"])
def test_barcodes_join_with_and_without_their_gem_group(tmp_path: Path, suffix: str) -> None:
    text = "Barcode,My regions\n" + "".join(f"{name[:4]}{suffix},Tumor\n" for name in BARCODES)
    after = attach(tmp_path, text, section(BARCODES))
    assert labels(after) == ["cancer"] * 4
    assert remarks(after) == ("before",)


def test_a_list_of_labels_follows_the_order_of_the_counts(tmp_path: Path) -> None:
    assert labels(attach(tmp_path, "1\n0\n0\n1\n")) == ["cancer", "normal", "normal", "cancer"]
    assert labels(attach(tmp_path, "1 0 0 1")) == ["cancer", "normal", "normal", "cancer"]


def test_a_list_of_labels_includes_rows_that_were_dropped_from_the_section(tmp_path: Path) -> None:
    target = section()
    target.counts.uns["counts_order"] = np.array(["9x12", "31x33", "10x12", "11x12", "9x13"], dtype=object)
    assert labels(attach(tmp_path, "1 1 0 0 1", target)) == ["cancer", "normal", "normal", "cancer"]
    with pytest.raises(LabelError, match="4 labels in counts order, but the counts have 5"):
        attach(tmp_path, "1 0 0 1", target)


def test_a_table_without_labels_leaves_all_spots_unlabelled(tmp_path: Path) -> None:
    for text in ("id,label\n9x12,\n", "x,y,label\nNA,NA,cancer\n"):
        after = attach(tmp_path, text)
        assert labels(after) == [None] * 4
        assert "4 of 4 spots have no label" in remarks(after)[-1]


def test_two_rows_for_one_spot_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="labels 1 spots more than once"):
        attach(tmp_path, "Barcode,label\nAAAC,1\nAAAC-1,0\nAAAG,0\nAACC,0\n", section(BARCODES))
