"""How an H&E lies on the morphology images: a matrix or keypoints, and what is refused."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bundles.tissue import Pose
from bundles.xenium import SMALL, He, keypoints

from spacrd_core.errors import GeometryError
from spacrd_readers.xenium.alignment import Alignment, read_alignment

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

PX = 0.2125
WANTED = (
    "give Xenium Explorer's matrix.csv (3 x 3, no header) or keypoints.csv (fixedX, fixedY, alignmentX, alignmentY)"
)
NO_AFFINE = "not 0, 0, 1: it is no affine map"
STRETCHED = "the alignment matrix.csv stretches the H&E 50% more one way than the other"


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
    assert caught.value.hint == WANTED
    return str(caught.value).replace(str(folder / "matrix.csv"), "FILE")


def test_the_vendor_s_example_gives_0_274_um_a_px_and_a_quarter_turn(tmp_path: Path) -> None:
    """H&E of 0.274 um/px, turned by 90 degrees: its top left corner lies at the right of the morphology image."""
    found = aligned(tmp_path, "0,-1.2896,48000\n1.2896,0,120.5\n0,0,1\n")
    assert found.morphology_px_per_px * PX == pytest.approx(0.274, abs=1e-4)
    np.testing.assert_allclose(found.to_image(np.array([[48000, 120.5], [48000 - 12.896, 120.5]])), [[0, 0], [0, 10]])
    assert found.notes == ()


@pytest.mark.parametrize(
    "text", ["2;0;5\n0;2;6\n0;0;1", "# from Explorer\n2,0,5\n\n0,2,6\n0,0,1\n", '"2","0","5"\n0,2,6\n0,0,1']
)
def test_a_matrix_is_read_however_its_file_is_laid_out(tmp_path: Path, text: str) -> None:
    np.testing.assert_array_equal(aligned(tmp_path, text).matrix, [[2, 0, 5], [0, 2, 6], [0, 0, 1]])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,0,0\n0,1,0\n", "the alignment FILE holds 2 x 3 numbers, not 3 x 3"),
        ("1,0\n0,1,0\n0,0,1\n", "the alignment FILE is neither a matrix nor keypoints"),
        ("x,y\n1,2\n", "the alignment FILE is neither a matrix nor keypoints"),
        ("1,0,0\n0,1,0\n0.001,0,1\n", f"the last row of the alignment FILE is 0.001, 0, 1, {NO_AFFINE}"),
        ("1,0,0\n0,1,0\n0,0,2\n", f"the last row of the alignment FILE is 0, 0, 2, {NO_AFFINE}"),
        ("1,2,0\n2,4,0\n0,0,1\n", "the alignment FILE is singular: it flattens the H&E to a line"),
        ("0,0,0\n0,0,0\n0,0,1\n", "the alignment FILE is singular: it flattens the H&E to a line"),
        ("nan,0,0\n0,1,0\n0,0,1\n", "the alignment FILE lacks a number"),
        ("1.5,0,0\n0,1,0\n0,0,1\n", f"{STRETCHED}: that is not how an H&E lies on its section"),
    ],
)
def test_a_map_that_lays_no_picture_on_another_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    assert refused(tmp_path, text) == sentence


def test_an_archive_of_both_files_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "alignment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("matrix.csv", "1,0,0\n0,1,0\n0,0,1\n")
    with pytest.raises(GeometryError) as caught:
        read_alignment(path, PX)
    assert str(caught.value) == f"the alignment {path} is a zip archive"
    assert caught.value.hint == "unpack it and give the matrix.csv in it"


def test_a_stretch_beyond_5_percent_is_noted(tmp_path: Path) -> None:
    assert aligned(tmp_path, "1.04,0,0\n0,1,0\n0,0,1\n").notes == ()
    assert aligned(tmp_path, "1,0.08,0\n0,1,0\n0,0,1\n").notes == (
        "the alignment matrix.csv stretches the H&E 8% more one way than the other; um/px is the mean",
    )


@pytest.mark.parametrize("pose", [Pose(0.5), Pose(0.25, 90.0), Pose(0.5, 37.0, mirrored=True)], ids=str)
def test_keypoints_give_the_affine_map_of_all_of_them(tmp_path: Path, pose: Pose) -> None:
    he = He(pose, miss_um=2.0, keypoints=40)
    found = by_keypoints(tmp_path, keypoints(he, SMALL, PX))
    true = he.true_matrix(SMALL, PX)
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]) * SMALL.size_um
    px = corners / PX
    apart = np.linalg.norm(found.to_image(px) - Alignment(tmp_path, true).to_image(px), axis=1)
    assert apart.max() * pose.um_per_px < 2.0  # um; three points alone would be off by more
    assert found.morphology_px_per_px * PX == pytest.approx(pose.um_per_px, rel=0.01)


def test_the_first_three_keypoints_do_not_decide_alone(tmp_path: Path) -> None:
    table = keypoints(He(keypoints=30), SMALL, PX)
    table.loc[0, "fixedX"] += 40 / PX  # um: the first one is set badly
    found = by_keypoints(tmp_path, table)
    true = He().true_matrix(SMALL, PX)
    centre = np.array([SMALL.size_um]) / 2 / PX
    assert np.linalg.norm(found.to_image(centre) - Alignment(tmp_path, true).to_image(centre)) < 4.0  # px of 1 um


def test_how_far_off_the_keypoints_are_is_said_in_um(tmp_path: Path) -> None:
    table = keypoints(He(keypoints=30), SMALL, PX)
    table.loc[4, "fixedX"] += 30 / PX
    (note,) = by_keypoints(tmp_path, table).notes
    fixed, on_he = table[["fixedX", "fixedY"]].to_numpy(), table[["alignmentX", "alignmentY"]].to_numpy()
    design = np.column_stack([on_he, np.ones(30)])
    off = np.linalg.norm(design @ np.linalg.lstsq(design, fixed, rcond=None)[0] - fixed, axis=1) * PX
    assert note == (
        f"the 30 keypoints of keypoints.csv are {np.sqrt((off**2).mean()):.1f} um off an affine map on average, "
        f"number 5 the most ({off.max():.1f} um)"
    )


def test_keypoints_that_no_map_fits_are_refused(tmp_path: Path) -> None:
    table = keypoints(He(), SMALL, PX)
    table.loc[2, "fixedY"] += 900 / PX
    with pytest.raises(GeometryError) as caught:
        by_keypoints(tmp_path, table)
    assert "the 8 keypoints of keypoints.csv are " in str(caught.value)
    assert "number 3 the most (" in str(caught.value)
    assert str(caught.value).endswith("um): the H&E cannot be placed by them")
    assert caught.value.hint == "correct that keypoint in Xenium Explorer"


def test_three_keypoints_fit_whatever_they_are_and_that_is_said(tmp_path: Path) -> None:
    assert by_keypoints(tmp_path, keypoints(He(keypoints=3), SMALL, PX)).notes == (
        "the 3 keypoints of keypoints.csv fit exactly, as any three do: more would show how well they are set",
    )


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_too_few_keypoints_are_refused(tmp_path: Path, kept: int) -> None:
    with pytest.raises(GeometryError) as caught:
        by_keypoints(tmp_path, keypoints(He(), SMALL, PX).head(kept))
    path = tmp_path / "keypoints.csv"
    assert str(caught.value) == f"the {kept} keypoints of {path} lie on one line or are fewer than three"
    assert caught.value.hint == "set more keypoints"


@pytest.mark.parametrize("cell", ["", "here", "nan"])
def test_a_keypoint_without_a_number_is_refused(tmp_path: Path, cell: str) -> None:
    table = keypoints(He(), SMALL, PX).astype(object)
    table.loc[2, "alignmentX"] = cell
    with pytest.raises(GeometryError) as caught:
        by_keypoints(tmp_path, table)
    assert str(caught.value) == f"the keypoints {tmp_path / 'keypoints.csv'} lack a number in a row"
