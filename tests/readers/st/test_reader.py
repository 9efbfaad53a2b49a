import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacrd_core.errors import CountsError, GeometryError, ImageError, MissingFile, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.st.reader import St


def read(path: Path, *, spots: Path | None = None, **inputs: Any) -> Section:
    return St(St.Options(spots=spots)).read(path, ImageInputs(**inputs))


def test_a_section_has_counts_positions_slide_and_sources(st: Any) -> None:
    section = read(st.write())
    obs = section.counts.obs
    assert (section.platform, section.spot_um, section.spot_shape, section.pitch_um) == ("st", 100.0, "disc", 200.0)
    assert list(obs.columns) == ["array_x", "array_y", "x_px", "y_px", "x_um", "y_um"]
    spot = st.spots.set_index(st.spots["x"].astype(str) + "x" + st.spots["y"].astype(str)).loc["12x14"]
    assert obs.loc["12x14", ["array_x", "array_y", "x_px", "y_px"]].tolist() == pytest.approx(
        spot[["new_x", "new_y", "pixel_x", "pixel_y"]].tolist()
    )
    np.testing.assert_allclose(obs[["x_um", "y_um"]], obs[["x_px", "y_px"]] * section.um_per_px)
    assert section.um_per_px == pytest.approx(10.0, rel=0.03)
    assert (section.counts.X.toarray() == st.counts.to_numpy()).all()
    assert section.slide
    assert (section.slide.path.name, section.slide.scale) == ("9769_HE_small.png", 1.0)
    assert [source.role for source in section.sources] == ["counts", "positions", "image"]
    assert section.notes == ()


def test_the_order_of_spots_is_that_of_the_counts(st: Any) -> None:
    assert list(read(st.write()).counts.obs_names) == list(st.counts.index)


def test_spots_of_one_table_alone_are_left_out_and_named(st: Any) -> None:
    st.spots = st.spots.iloc[1:]
    st.counts = st.counts.drop(index=["14x15", "15x15"])
    section = read(st.write())
    assert section.counts.n_obs == 27
    assert "spots with counts but no position, left out: 1 (10x12)" in section.notes
    assert "positions without counts, left out: 2 (14x15, 15x15)" in section.notes
    assert list(section.counts.uns["counts_order"]) == list(st.counts.index)


def test_spots_marked_as_not_selected_are_left_out(st: Any) -> None:
    st.spots.loc[:1, "selected"] = 0
    section = read(st.write())
    assert section.counts.n_obs == 28
    assert "spots that T1_selection.tsv marks as not selected, left out: 2" in section.notes


def test_the_spot_table_of_another_section_is_refused(st: Any) -> None:
    st.spots[["x", "new_x"]] += 2
    with pytest.raises(CountsError, match="from different sections: 10 of 30 spots with counts have no position"):
        read(st.write())


def test_a_missing_spot_table_is_required_and_an_option_gives_it(st: Any, tmp_path: Path) -> None:
    counts = st.write()
    moved = shutil.move(tmp_path / "ST-spotfiles" / "T1_selection.tsv", tmp_path / "mine.tsv")
    with pytest.raises(MissingFile, match=r"T1_selection\.tsv") as caught:
        read(counts)
    assert "reader.spots" in caught.value.hint
    assert read(counts, spots=Path(moved)).counts.n_obs == 30
    with pytest.raises(MissingFile, match=r"nowhere\.tsv does not exist"):
        read(counts, spots=tmp_path / "nowhere.tsv")


def test_a_missing_image_is_a_note_and_one_that_was_requested_an_error(st: Any, tmp_path: Path) -> None:
    st.image = None
    counts = st.write()
    section = read(counts)
    assert section.slide is None
    assert len(section.notes) == 1
    assert "no image was found" in section.notes[0]
    with pytest.raises(MissingFile, match=r"none\.png does not exist"):
        read(counts, image=tmp_path / "none.png")


def test_without_image_no_image_is_searched(st: Any) -> None:
    section = read(st.write(), with_image=False)
    assert section.slide is None
    assert section.notes == ()


def test_two_images_are_not_chosen_between_unless_one_is_given(st: Any) -> None:
    counts = st.write()
    second = st.write_image("second.png", (640, 680))
    with pytest.raises(ImageError, match="2 images") as caught:
        read(counts)
    assert "--image" in caught.value.hint
    chosen = read(counts, image=second).slide
    assert chosen
    assert chosen.path == second


def test_a_folder_with_one_section_is_read_whatever_its_files_are_called(st: Any, tmp_path: Path) -> None:
    st.write()
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(tmp_path / "ST-cnts/T1.tsv.gz", folder / "ut_T1_stdata_filtered.tsv.gz")
    shutil.copy(tmp_path / "ST-spotfiles/T1_selection.tsv", folder / "spots_selection.tsv")
    shutil.copy(tmp_path / "ST-imgs/T/T1/9769_HE_small.png", folder)
    section = read(folder)
    assert section.counts.n_obs == 30
    assert section.slide
    shutil.copy(folder / "ut_T1_stdata_filtered.tsv.gz", folder / "T2.tsv.gz")
    with pytest.raises(UnrecognisedSection, match="2 ST counts tables"):
        read(folder)


@pytest.mark.parametrize(("data", "phrase"), [(b"\x1f\x8b\x08broken", "broken gzip"), (b"", "is empty")])
def test_a_broken_counts_table_is_named_with_the_remedy(st: Any, data: bytes, phrase: str) -> None:
    counts = st.write()
    counts.write_bytes(data)
    with pytest.raises(CountsError, match=phrase) as caught:
        read(counts)
    assert "again" in caught.value.hint


def test_what_is_not_counts_table_at_all_is_not_read(st: Any, tmp_path: Path) -> None:
    st.write()
    with pytest.raises(UnrecognisedSection, match="it is a table of spots"):
        read(tmp_path / "ST-spotfiles" / "T1_selection.tsv")
    with pytest.raises(MissingFile, match=r"T9\.tsv does not exist"):
        read(tmp_path / "T9.tsv")


def test_alignments_and_impossible_numbers_are_refused(st: Any, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="no alignment"):
        read(st.write(), alignment=tmp_path / "matrix.csv")
    with pytest.raises(GeometryError, match="positive number"):
        ImageInputs(image_scale=0.0)
