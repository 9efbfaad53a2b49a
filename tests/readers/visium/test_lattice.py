"""um/px from the pitch of the array, never from the spot diameter in the scale factors."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.tissue import Pose
from bundles.visium import VisiumBundle

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium.reader import Visium

BUNDLE = VisiumBundle(images=())
HINT = "copy the positions again"


def read(folder: Path, **inputs: Any) -> Section:
    return Visium(Visium.Options()).read(folder, ImageInputs(with_image=False, **inputs))


def written(folder: Path, table: pd.DataFrame) -> Path:
    BUNDLE.write(folder)
    return BUNDLE.write_positions(folder / "spatial" / BUNDLE.positions, table)


@pytest.mark.parametrize("diameter_um", [65.0, 70.0, 55.0])
@pytest.mark.parametrize("um_per_px", [0.2738, 0.7268, 4.678])
def test_um_per_px_follows_from_the_pitch_whatever_a_spot_is_called(
    tmp_path: Path, um_per_px: float, diameter_um: float
) -> None:
    bundle = replace(BUNDLE, pose=Pose(um_per_px), scalefactors={"spot_diameter_fullres": diameter_um / um_per_px})
    section = read(bundle.write(tmp_path))
    assert section.um_per_px == pytest.approx(um_per_px, rel=1e-6)
    assert (section.spot_um, section.pitch_um) == (55.0, 100.0)


@pytest.mark.parametrize("degrees", [0.0, 37.0, 90.0, 180.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_um_per_px_is_the_same_however_the_array_lies(tmp_path: Path, degrees: float, *, mirrored: bool) -> None:
    bundle = replace(BUNDLE, pose=Pose(0.5, degrees, mirrored=mirrored), whole_px=True)
    section = read(bundle.write(tmp_path))
    assert section.um_per_px == pytest.approx(0.5, rel=1e-4)
    um = section.counts.obs[["x_um", "y_um"]].to_numpy()
    found, true = (np.linalg.norm(np.diff(places, axis=0), axis=1) for places in (um, bundle.um[bundle.in_tissue]))
    np.testing.assert_allclose(found, true, atol=0.75)


def test_um_per_px_as_given_takes_precedence_and_a_disagreement_is_reported(tmp_path: Path) -> None:
    folder = BUNDLE.write(tmp_path)
    section = read(folder, um_per_px=1.7)
    assert section.um_per_px == 1.7
    np.testing.assert_allclose(section.counts.obs["x_um"], section.counts.obs["x_px"] * 1.7)
    assert section.notes == ("um/px is 1.7 as given, but the array's 100 um pitch gives 2.0000",)
    assert read(folder, um_per_px=2.05).notes == ()


def test_spots_on_one_line_need_um_per_px(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, rows=1, corner_um=(-60.0, 300.0))
    path = bundle.write(tmp_path) / "spatial" / "tissue_positions.csv"
    reason = f"the 14 spots of {path} are on one line"
    with pytest.raises(GeometryError) as caught:
        read(tmp_path)
    assert reason in str(caught.value)
    assert "--um-per-px X" in caught.value.hint
    section = read(tmp_path, um_per_px=2.0)
    assert section.um_per_px == 2.0
    (note,) = section.notes
    assert f"um/px is 2 as given; it could not be checked: {reason}" in note


def test_swapped_rows_and_columns_are_refused(tmp_path: Path) -> None:
    swapped = BUNDLE.table.rename(columns={"array_row": "array_col", "array_col": "array_row"})
    path = written(tmp_path, swapped)
    with pytest.raises(GeometryError) as caught:
        read(tmp_path)
    assert f"the pixel positions in {path} do not follow its array" in str(caught.value)
    assert "3.03 times as long" in str(caught.value)
    assert HINT in caught.value.hint


def test_px_that_do_not_follow_the_array_are_refused(tmp_path: Path) -> None:
    columns = ["pxl_row_in_fullres", "pxl_col_in_fullres"]
    table = BUNDLE.table
    table[columns] = table[columns].sample(frac=1, random_state=0).to_numpy()
    path = written(tmp_path, table)
    with pytest.raises(GeometryError, match=r"deviate by .* pitches") as caught:
        read(tmp_path)
    assert str(caught.value).startswith(f"the pixel positions in {path} do not follow its array: ")
    table[columns] = 7.0
    written(tmp_path, table)
    with pytest.raises(GeometryError, match="do not follow its array"):
        read(tmp_path)
