"""A counts table without a spot table: the names of its spots are positions on the array."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spacrd_core.errors import GeometryError, MissingFile
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.st.reader import St

ARRAY = np.array([(x, y) for y in range(3, 8) for x in range(2, 7)], dtype=float)
NOTE = "no spot table was found: the names of the spots were used as positions on the array, 200 um apart"


def counts(names: list[str]) -> pd.DataFrame:
    values = np.random.default_rng(0).poisson(2.0, (len(names), 4))
    return pd.DataFrame(values, index=names, columns=["ERBB2", "KRT8", "WDFY4.1", "COL1A1"])


def read(path: Path, **inputs: Any) -> Section:
    return St(St.Options()).read(path, ImageInputs(**inputs))


@pytest.mark.parametrize(
    ("name", "separator"),
    [("GSM3_PDAC-A-ST1-filtered.txt.gz", "\t"), ("A.tsv", "\t"), ("A.csv", ","), ("A.csv.gz", ";"), ("A.TXT", "\t")],
)
@pytest.mark.parametrize("genes_in_rows", [True, False])
def test_positions_are_those_of_the_names(tmp_path: Path, name: str, separator: str, *, genes_in_rows: bool) -> None:
    table = counts([f"{x:.0f}x{y:.0f}" for x, y in ARRAY])
    text = (table.T if genes_in_rows else table).to_csv(sep=separator).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert St(St.Options()).recognises(path)
    section = read(path, with_image=False)
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], ARRAY * 200)
    np.testing.assert_array_equal(section.counts.X.toarray(), table.to_numpy())
    assert (section.um_per_px, section.pitch_um, section.slide) == (1.0, 200.0, None)
    assert section.notes == (NOTE,)
    assert [source.role for source in section.sources] == ["counts"]


def test_decimals_in_the_names_are_kept_and_an_x_of_r_is_not(tmp_path: Path) -> None:
    path = tmp_path / "Layer1_BC_count_matrix-1.tsv"
    counts([f"X{x + 0.013:.3f}x{y - 0.021:.3f}" for x, y in ARRAY]).to_csv(path, sep="\t")
    section = read(path)
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], (ARRAY + np.array([0.013, -0.021])) * 200)
    assert section.counts.obs_names[0] == "2x3"
    assert section.notes == (NOTE, "no image was found; give one with --image FILE")


def test_um_per_px_sets_the_px_alone(tmp_path: Path) -> None:
    path = tmp_path / "A.tsv"
    counts([f"{x:.0f}x{y:.0f}" for x, y in ARRAY]).to_csv(path, sep="\t")
    obs = read(path, um_per_px=0.5).counts.obs
    np.testing.assert_allclose(obs[["x_um", "y_um"]], ARRAY * 200)
    np.testing.assert_allclose(obs[["x_px", "y_px"]], ARRAY * 400)


def test_names_that_are_px_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "A.tsv"
    counts([f"{x * 290:.0f}x{y * 290:.0f}" for x, y in ARRAY]).to_csv(path, sep="\t")
    with pytest.raises(GeometryError, match="are not positions on the array: neighbours are 290 steps apart") as caught:
        read(path)
    assert "reader.spots" in caught.value.hint


def test_a_single_spot_is_a_position(tmp_path: Path) -> None:
    path = tmp_path / "A.tsv"
    counts(["2x3"]).to_csv(path, sep="\t")
    assert read(path).counts.n_obs == 1


def test_an_image_needs_a_spot_table_or_is_left_out(st: Any) -> None:
    path = st.write()
    (st.root / "ST-spotfiles" / "T1_selection.tsv").unlink()
    with pytest.raises(MissingFile, match=r"the spots have no place on .*9769_HE_small\.png") as caught:
        read(path)
    assert "--no-image" in caught.value.hint
    assert NOTE in read(path, with_image=False).notes


def test_a_table_with_one_column_is_no_counts_table(tmp_path: Path) -> None:
    (tmp_path / "clusters.csv").write_text("spot,cluster\n10x13,1\n11x13,2\n")
    assert "one column" in St(St.Options()).recognises(tmp_path / "clusters.csv").reason


def test_other_tables_of_spots_in_csv_do_not_hide_the_counts(tmp_path: Path) -> None:
    names = [f"{x:.0f}x{y:.0f}" for x, y in ARRAY]
    counts(names).to_csv(tmp_path / "scores.csv")
    assert read(tmp_path).sources[0].path.name == "scores.csv"
    counts(names).to_csv(tmp_path / "A1.tsv", sep="\t")
    assert read(tmp_path).sources[0].path.name == "A1.tsv"


def test_hidden_files_are_not_part_of_a_folder(st: Any, tmp_path: Path) -> None:
    folder = st.write().parent
    for file in (*st.root.glob("ST-spotfiles/*"), *st.root.glob("ST-imgs/T/T1/*")):
        file.rename(folder / file.name)
    for file in [*folder.iterdir()]:
        (folder / f"._{file.name}").write_bytes(b"\0\5\x16\7")
    (folder / ".DS_Store").touch()
    section = read(folder)
    assert [source.path.name for source in section.sources] == ["T1.tsv.gz", "T1_selection.tsv", "9769_HE_small.png"]


def test_a_table_of_counts_may_be_called_spots(tmp_path: Path) -> None:
    path = tmp_path / "mine_spots.tsv"
    counts([f"{x:.0f}x{y:.0f}" for x, y in ARRAY]).to_csv(path, sep="\t")
    assert NOTE in read(path).notes
