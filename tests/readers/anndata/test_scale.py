"""um/px from the lattice, never from the diameter of the spots."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from bundles.anndata_file import Measured, tissue_object, write_anndata
from bundles.tissue import Pose
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData
from spacrd_readers.anndata.scale import SizeOverrides, find_scale

TURNED = Pose(um_per_px=0.75, degrees=137.0, mirrored=True)


def read(tmp_path: Path, adata: ad.AnnData, um_per_px: float | None = None, **options: Any) -> Section:
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    return AnnData(AnnData.Options(**options)).read(path, ImageInputs(um_per_px=um_per_px, with_image=False))


def sizes(section: Section) -> tuple[object, ...]:
    return section.um_per_px, section.spot_um, section.spot_shape, section.pitch_um


def without_array(adata: ad.AnnData) -> ad.AnnData:
    adata.obs = adata.obs.drop(columns=["array_row", "array_col"])
    return adata


def visium(**measured: Any) -> ad.AnnData:
    return tissue_object(Measured(**measured), picture=False)


def bins(**factors: float) -> ad.AnnData:
    adata = visium(pose=TURNED, lattice="square", pitch_um=80.0)
    stored = {"bin_size_um": 80.0, "spot_diameter_fullres": 80.0 / TURNED.um_per_px}
    adata.uns["spatial"]["V1"]["scalefactors"] = stored | factors
    return adata


@pytest.mark.parametrize("pose", [Pose(1.0), TURNED, Pose(0.2, degrees=90.0)])
def test_a_visium_lattice_gives_um_per_px_by_its_pitch_however_it_is_turned(tmp_path: Path, pose: Pose) -> None:
    section = read(tmp_path, visium(pose=pose))
    assert sizes(section) == (pytest.approx(pose.um_per_px), 55.0, "disc", 100.0)
    assert section.notes == ()


def test_the_diameter_of_the_spots_never_gives_um_per_px(tmp_path: Path) -> None:
    adata = visium(pose=TURNED)
    diameter = adata.uns["spatial"]["V1"]["scalefactors"]["spot_diameter_fullres"]
    assert read(tmp_path, adata).um_per_px == pytest.approx(65 / diameter)  # not 55 / diameter, 15 % less
    with pytest.raises(GeometryError) as caught:
        read(tmp_path, without_array(adata))
    assert f"um/px of {tmp_path / 'S1.h5ad'} is unknown" in str(caught.value)
    assert "no microns_per_pixel, and obs has no array_row and array_col" in str(caught.value)
    assert "--um-per-px X" in caught.value.hint


def test_bins_give_um_per_px_by_their_scale_factors_and_are_squares(tmp_path: Path) -> None:
    section = read(tmp_path, bins(microns_per_pixel=0.75))
    assert sizes(section) == (0.75, 80.0, "square", 80.0)
    (note,) = section.notes
    assert "each 80 um bin is one spot" in note


def test_bins_without_microns_per_pixel_give_um_per_px_by_their_lattice(tmp_path: Path) -> None:
    assert sizes(read(tmp_path, bins())) == (pytest.approx(0.75), 80.0, "square", 80.0)


def test_a_scale_factor_that_the_lattice_contradicts_is_reported(tmp_path: Path) -> None:
    section = read(tmp_path, bins(microns_per_pixel=0.5))
    assert section.um_per_px == 0.5
    assert section.pitch_um == pytest.approx(80 * 0.5 / 0.75)
    assert section.notes[0] == "um/px is 0.5 from microns_per_pixel, but the array's 80 um pitch gives 0.7500"
    assert "each 80 um bin is one spot" in section.notes[1]


def test_a_square_lattice_needs_its_pitch_from_the_user(tmp_path: Path) -> None:
    adata = visium(pose=TURNED, lattice="square", pitch_um=200.0)
    del adata.uns["spatial"]["V1"]["scalefactors"]["spot_diameter_fullres"]
    with pytest.raises(GeometryError, match=r"not a Visium lattice \(--set reader.pitch_um=200 for legacy ST\)"):
        read(tmp_path, adata)
    section = read(tmp_path, adata, pitch_um=200.0, spot_um=100.0)
    assert sizes(section) == (pytest.approx(0.75), 100.0, "disc", 200.0)
    (note,) = read(tmp_path, adata, pitch_um=200.0).notes
    assert "200 um wide, from the distance between neighbours" in note


@pytest.mark.parametrize(
    "spoil",
    [
        lambda xy, random: random.permutation(xy),
        lambda xy, _: xy * [1.0, np.sqrt(3)],
        lambda xy, random: xy + random.normal(0, 15, xy.shape),
        lambda xy, _: xy * [1.0, 0.0],
        lambda xy, _: xy * 0,
    ],
    ids=["shuffled", "stretched", "scattered", "on a line", "at one point"],
)
def test_array_positions_that_the_positions_do_not_follow_are_not_used(
    tmp_path: Path, spoil: Callable[..., Any]
) -> None:
    adata = visium()
    adata.obsm["spatial"] = spoil(adata.obsm["spatial"], np.random.default_rng(0))
    with pytest.raises(GeometryError, match=r"um/px of .* is unknown") as caught:
        read(tmp_path, adata)
    assert "--um-per-px" in caught.value.hint


def test_um_per_px_as_given_takes_precedence_and_a_contradiction_is_reported(tmp_path: Path) -> None:
    adata = visium(pose=TURNED)
    assert sizes(read(tmp_path, adata, 0.76)) == (0.76, 55.0, "disc", 100.0)
    section = read(tmp_path, adata, 0.5)
    assert sizes(section) == (0.5, 55.0, "disc", pytest.approx(100 * 0.5 / 0.75))
    (note,) = section.notes
    assert note == "um/px is 0.5 as given, but the array's 100 um pitch gives 0.7500"


def test_without_a_lattice_the_pitch_is_the_distance_to_the_nearest_spot(tmp_path: Path) -> None:
    section = read(tmp_path, without_array(visium(pose=TURNED)), 0.75)
    assert sizes(section) == (0.75, pytest.approx(65.0), "disc", pytest.approx(100.0))
    (note,) = section.notes
    assert "65 um wide, from spot_diameter_fullres" in note


def test_spots_on_one_another_have_no_pitch(tmp_path: Path) -> None:
    adata = without_array(visium())
    adata.obsm["spatial"][100:] = 7.0
    with pytest.raises(GeometryError) as caught:
        read(tmp_path, adata, 1.0)
    assert f"most spots of {tmp_path / 'S1.h5ad'} share one position" in str(caught.value)


def test_the_user_sets_the_sizes_of_a_spot(tmp_path: Path) -> None:
    section = read(tmp_path, without_array(visium()), 1.0, spot_um=50.0, spot_shape="square", pitch_um=99.0)
    assert sizes(section) == (1.0, 50.0, "square", 99.0)
    assert section.notes == ()


@settings(max_examples=50, deadline=None)
@given_any(
    st.builds(Pose, st.floats(0.1, 5.0), st.floats(0.0, 360.0), st.booleans()),
    st.sampled_from(["hexagonal", "square"]),
)
def test_any_pose_of_any_lattice_is_measured(pose: Pose, lattice: Any) -> None:
    adata = visium(pose=pose, lattice=lattice)
    table = adata.obs.rename(columns={"array_col": "array_x", "array_row": "array_y"}).astype(float)
    table[["x_px", "y_px"]] = adata.obsm["spatial"]
    scale = find_scale(table, {}, SizeOverrides(pitch_um=100.0), path=Path("S1.h5ad"))
    assert scale.um_per_px == pytest.approx(pose.um_per_px)
