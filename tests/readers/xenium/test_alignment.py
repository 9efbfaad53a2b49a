"""Alignments of an H&E to the morphology images: matrices, keypoints, and refused files."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles.tissue import Pose
from bundles.xenium import SMALL, He, keypoints

from spacrd_core.errors import GeometryError
from spacrd_readers.xenium.alignment import Alignment, apply_affine, read_alignment

PX = 0.2125
NO_AFFINE = "not 0, 0, 1"
STRETCHED = "the alignment matrix.csv stretches the H&E by 50% more along one axis"


def to_image(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return points of the morphology images in H&E px."""
    return apply_affine(points, np.linalg.inv(matrix))


def aligned(folder: Path, text: str) -> Alignment:
    path = folder / "matrix.csv"
    path.write_text(text)
    return read_alignment(path, PX)


def by_keypoints(folder: Path, table: pd.DataFrame) -> Alignment:
    table.to_csv(folder / "keypoints.csv", index=False)
    return read_alignment(folder / "keypoints.csv", PX)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(GeometryError) as caught:
        aligned(folder, text)
    assert "matrix.csv" in caught.value.hint
    assert "keypoints.csv" in caught.value.hint
    return str(caught.value).replace(str(folder / "matrix.csv"), "FILE")


def test_the_vendor_s_example_gives_0_274_um_a_px_and_a_quarter_turn(tmp_path: Path) -> None:
    """H&E of 0.274 um/px, turned by 90 degrees: its top left corner is at the right of the morphology image."""
    alignment = aligned(tmp_path, "0,-1.2896,48000\n1.2896,0,120.5\n0,0,1\n")
    assert alignment.morphology_px_per_px * PX == pytest.approx(0.274, abs=1e-4)
    np.testing.assert_allclose(
        to_image(np.array([[48000, 120.5], [48000 - 12.896, 120.5]]), alignment.matrix), [[0, 0], [0, 10]]
    )
    assert alignment.notes == ()


@pytest.mark.parametrize(
    "text", ["2;0;5\n0;2;6\n0;0;1", "# from Explorer\n2,0,5\n\n0,2,6\n0,0,1\n", '"2","0","5"\n0,2,6\n0,0,1']
)
def test_a_matrix_is_read_however_its_file_is_laid_out(tmp_path: Path, text: str) -> None:
    np.testing.assert_array_equal(aligned(tmp_path, text).matrix, [[2, 0, 5], [0, 2, 6], [0, 0, 1]])


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("1,0,0\n0,1,0\n", "the alignment FILE holds 2 x 3 numbers"),
        ("1,0\n0,1,0\n0,0,1\n", "the alignment FILE is neither a matrix nor keypoints"),
        ("x,y\n1,2\n", "the alignment FILE is neither a matrix nor keypoints"),
        ("1,0,0\n0,1,0\n0.001,0,1\n", f"the last row of the alignment FILE is 0.001, 0, 1, {NO_AFFINE}"),
        ("1,0,0\n0,1,0\n0,0,2\n", f"the last row of the alignment FILE is 0, 0, 2, {NO_AFFINE}"),
        ("1,2,0\n2,4,0\n0,0,1\n", "the alignment FILE is singular: it flattens the H&E to a line"),
        ("0,0,0\n0,0,0\n0,0,1\n", "the alignment FILE is singular: it flattens the H&E to a line"),
        ("nan,0,0\n0,1,0\n0,0,1\n", "the alignment FILE lacks a number"),
        ("1.5,0,0\n0,1,0\n0,0,1\n", STRETCHED),
    ],
)
def test_an_implausible_alignment_is_refused(tmp_path: Path, text: str, phrase: str) -> None:
    assert phrase in refused(tmp_path, text)


def test_an_archive_of_both_files_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "alignment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("matrix.csv", "1,0,0\n0,1,0\n0,0,1\n")
    with pytest.raises(GeometryError) as caught:
        read_alignment(path, PX)
    assert f"the alignment {path} is a zip archive" in str(caught.value)
    assert "matrix.csv" in caught.value.hint


def test_a_stretch_beyond_5_percent_is_noted(tmp_path: Path) -> None:
    assert aligned(tmp_path, "1.04,0,0\n0,1,0\n0,0,1\n").notes == ()
    (note,) = aligned(tmp_path, "1,0.08,0\n0,1,0\n0,0,1\n").notes
    assert "stretches the H&E by 8%" in note


@pytest.mark.parametrize("pose", [Pose(0.5), Pose(0.25, 90.0), Pose(0.5, 37.0, mirrored=True)], ids=str)
def test_keypoints_give_the_affine_map_of_all_of_them(tmp_path: Path, pose: Pose) -> None:
    he = He(pose, miss_um=2.0, keypoints=40)
    alignment = by_keypoints(tmp_path, keypoints(he, SMALL, PX))
    true = he.true_matrix(SMALL, PX)
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]) * SMALL.size_um
    px = corners / PX
    distances = np.linalg.norm(to_image(px, alignment.matrix) - to_image(px, true), axis=1)
    assert distances.max() * pose.um_per_px < 2.0  # um; three points alone would be off by more
    assert alignment.morphology_px_per_px * PX == pytest.approx(pose.um_per_px, rel=0.01)


def test_the_first_three_keypoints_do_not_decide_alone(tmp_path: Path) -> None:
    table = keypoints(He(keypoints=30), SMALL, PX)
    table.loc[0, "fixedX"] += 40 / PX  # um: the first one is set badly
    alignment = by_keypoints(tmp_path, table)
    true = He().true_matrix(SMALL, PX)
    centre = np.array([SMALL.size_um]) / 2 / PX
    assert np.linalg.norm(to_image(centre, alignment.matrix) - to_image(centre, true)) < 4.0  # px of 1 um


def test_the_residuals_of_the_keypoints_are_reported_in_um(tmp_path: Path) -> None:
    table = keypoints(He(keypoints=30), SMALL, PX)
    table.loc[4, "fixedX"] += 30 / PX
    (note,) = by_keypoints(tmp_path, table).notes
    fixed, on_he = table[["fixedX", "fixedY"]].to_numpy(), table[["alignmentX", "alignmentY"]].to_numpy()
    design = np.column_stack([on_he, np.ones(30)])
    off = np.linalg.norm(design @ np.linalg.lstsq(design, fixed, rcond=None)[0] - fixed, axis=1) * PX
    assert "the 30 keypoints of keypoints.csv" in note
    assert f"by {np.sqrt((off**2).mean()):.1f} um (RMS), at most {off.max():.1f} um (keypoint 5)" in note


def test_keypoints_that_no_map_fits_are_refused(tmp_path: Path) -> None:
    table = keypoints(He(), SMALL, PX)
    table.loc[2, "fixedY"] += 900 / PX
    with pytest.raises(GeometryError) as caught:
        by_keypoints(tmp_path, table)
    assert "the 8 keypoints of keypoints.csv " in str(caught.value)
    assert "(keypoint 3)" in str(caught.value)
    assert "keypoint in Xenium Explorer" in caught.value.hint


def test_three_keypoints_fit_whatever_they_are_and_reported(tmp_path: Path) -> None:
    (note,) = by_keypoints(tmp_path, keypoints(He(keypoints=3), SMALL, PX)).notes
    assert "the 3 keypoints of keypoints.csv fit exactly" in note


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_keypoints_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(GeometryError) as caught:
        by_keypoints(tmp_path, keypoints(He(), SMALL, PX).head(count))
    path = tmp_path / "keypoints.csv"
    assert f"the {count} keypoints of {path} are on one line or fewer than three" in str(caught.value)
    assert "more keypoints" in caught.value.hint


@pytest.mark.parametrize("cell", ["", "here", "nan"])
def test_a_keypoint_without_a_number_is_refused(tmp_path: Path, cell: str) -> None:
    table = keypoints(He(), SMALL, PX).astype(object)
    table.loc[2, "alignmentX"] = cell
    with pytest.raises(GeometryError) as caught:
        by_keypoints(tmp_path, table)
    assert f"the keypoints {tmp_path / 'keypoints.csv'} lack a number in a row" in str(caught.value)
