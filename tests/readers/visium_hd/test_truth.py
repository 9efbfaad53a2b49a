"""From a run to the store: the dark square of the known tissue is at its position, whatever the array's pose."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles.tissue import MARKERS, Pose
from bundles.visium_hd import SMALL, HdRun
from numpy.typing import NDArray

from spacrd_cli.main import run
from spacrd_core.section.geometry import fit_affine
from spacrd_core.section.section import ImageInputs
from spacrd_core.store.store import SpotStore
from spacrd_readers.visium_hd.reader import VisiumHd

HALF_A_SPOT = 28.0
POSES = {
    "columns along x": Pose(1.0),
    "a quarter turn": Pose(1.0, degrees=90.0),
    "half a turn": Pose(1.0, degrees=180.0),
    "columns against x, tilted": Pose(1.0, degrees=0.9, mirrored=True),
    "mirrored and turned": Pose(1.3, degrees=237.0, mirrored=True),
}


def clear_of_the_border(um: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which spots lie more than half a spot from the border of the square."""
    outward = np.array([-1, -1, 1, 1]) * HALF_A_SPOT
    grown, shrunk = (replace(SMALL, square_um=tuple(SMALL.square_um + outward * sign)) for sign in (1, -1))
    return grown.dark(um) == shrunk.dark(um)


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("unit", ["bin", "cell"])
@pytest.mark.parametrize("pose", POSES)
def test_the_square_is_dark_and_its_genes_are_high_where_it_is(tmp_path: Path, pose: str, unit: str) -> None:
    hd = HdRun(pose=POSES[pose], cells=True, image="beside", mean=0.5)
    path = hd.write(tmp_path / "S1")
    assert run(["ingest", str(tmp_path / "store"), str(path), "--set", f"reader.unit={unit}", "-q"]) == 0
    store = SpotStore.open(tmp_path / "store")
    adata, pyramid = store.section("S1"), store.pyramid("S1")
    assert pyramid
    px = adata.obs[["x_px", "y_px"]].to_numpy()
    um = hd.pose.to_um(SMALL, px)
    truth, sure = SMALL.dark(um), clear_of_the_border(um) & (adata.X.sum(axis=1).A1 > 20)
    assert 0.5 < sure.mean() < 1

    picture, um_per_px = pyramid.thumbnail(2000)
    x, y = (px.T * store.slide_scale("S1") / um_per_px).astype(int)
    inside = SMALL.covers(um)  # the centre of a spot at the edge may lie on glass
    np.testing.assert_array_equal((picture[y, x].mean(axis=1) < 155)[sure & inside], truth[sure & inside])

    totals = adata.X.toarray()
    high = totals[:, :MARKERS].sum(axis=1) > totals[:, MARKERS : 2 * MARKERS].sum(axis=1)
    np.testing.assert_array_equal(high[sure], truth[sure])
    assert store.entry("S1").um_per_px == pytest.approx(hd.pose.um_per_px)
    np.testing.assert_allclose(adata.obs[["x_um", "y_um"]], px * hd.pose.um_per_px)


@pytest.mark.parametrize("pose", POSES)
def test_the_array_of_spots_has_the_pose_of_the_array_of_bins(tmp_path: Path, pose: str) -> None:
    hd = HdRun(pose=POSES[pose])
    obs = VisiumHd(VisiumHd.Options()).read(hd.write(tmp_path), ImageInputs()).counts.obs
    fit = fit_affine(obs[["array_x", "array_y"]].to_numpy(), obs[["x_px", "y_px"]].to_numpy())
    turn = hd.pose.matrix(SMALL)[:2, :2].T
    np.testing.assert_allclose(fit.matrix, 56 * turn, atol=1e-6)
    assert fit.rms < 1e-6


def test_labels_of_bins_become_a_share_of_cancer_in_every_spot(tmp_path: Path) -> None:
    tissue = replace(SMALL, square_um=(200.0, 150.0, 630.0, 550.0))
    hd = HdRun(tissue=tissue)
    in_tissue, names = hd.in_tissue(8), hd.names(8)
    dark = tissue.dark(hd.middles_um(8))
    types = pd.DataFrame(
        {"Barcode": names[in_tissue], "Pathology": np.where(dark[in_tissue], "invasive cancer", "connective tissue")}
    )
    types.to_csv(tmp_path / "labels.csv", index=False)
    words = ["--labels", str(tmp_path / "labels.csv")]
    assert run(["ingest", str(tmp_path / "store"), str(hd.write(tmp_path / "S1")), *words, "-q"]) == 0
    obs = SpotStore.open(tmp_path / "store").section("S1").obs
    rows, columns = in_tissue.nonzero()
    squares = [f"s_056um_{row // 7:05d}_{column // 7:05d}" for row, column in zip(rows, columns, strict=True)]
    share = pd.Series(dark[in_tissue].astype(float)).groupby(squares).mean().loc[obs.index]
    np.testing.assert_allclose(obs["label_fraction"], share)
    assert (obs["n_labelled"] == obs["n_bins"]).all()
    assert ((share > 0) & (share < 1)).any()
    assert ((obs["label"] == "cancer") == (share >= 0.5)).all()
