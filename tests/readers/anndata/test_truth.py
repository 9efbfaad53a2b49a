"""From an AnnData file to embeddings: the dark square of the known tissue is at its position."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles.anndata_file import TISSUE, Measured, tissue_object, write_anndata
from bundles.tissue import MARKERS, Pose
from numpy.typing import NDArray

from spacrd_cli.main import run
from spacrd_core.store.store import SpotStore

HALF_A_SPOT = 27.5
POSES = (Pose(1.0), Pose(0.8, degrees=33.0), Pose(1.25, degrees=90.0, mirrored=True), Pose(0.5, 201.0, mirrored=True))


def clear_of_the_border(um: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask of the spots more than half a spot from the border of the square."""
    outward = np.array([-1, -1, 1, 1]) * HALF_A_SPOT
    grown, shrunk = (replace(TISSUE, square_um=tuple(TISSUE.square_um + outward * sign)) for sign in (1, -1))
    return grown.dark(um) == shrunk.dark(um)


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("pose", POSES, ids=str)
def test_the_square_is_dark_and_its_genes_are_high_where_it_is(tmp_path: Path, pose: Pose) -> None:
    measured = Measured(pose=pose, hires=pose.um_per_px / 4)
    path = write_anndata(tissue_object(measured), tmp_path / "S1.h5ad")
    assert run(["ingest", str(tmp_path / "store"), str(path), "-q"]) == 0
    store = SpotStore.open(tmp_path / "store")
    _, um = measured.places(TISSUE)
    truth, sure = TISSUE.dark(um), clear_of_the_border(um)
    assert 0.9 < sure.mean() < 1

    adata, pyramid = store.section("S1"), store.pyramid("S1")
    assert pyramid
    picture, um_per_px = pyramid.thumbnail(2000)
    x, y = (adata.obs[["x_px", "y_px"]].to_numpy().T * store.slide_scale("S1") / um_per_px).astype(int)
    dark = picture[y, x].mean(axis=1) < 155
    np.testing.assert_array_equal(dark[sure], truth[sure])

    totals = adata.X.toarray()
    high = totals[:, :MARKERS].sum(axis=1) > totals[:, MARKERS : 2 * MARKERS].sum(axis=1)
    np.testing.assert_array_equal(high, truth)

    positions = adata.obs[["x_um", "y_um"]].to_numpy()
    spread = np.linalg.norm(positions - positions.mean(axis=0), axis=1)
    np.testing.assert_allclose(spread, np.linalg.norm(um - um.mean(axis=0), axis=1), rtol=1e-6)


@pytest.mark.slow
def test_the_commands_turn_an_object_into_embeddings_that_separate_the_square(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.zarr")
    assert run(["ingest", str(tmp_path / "store"), str(path), "--reader", "anndata", "--patient", "P1"]) == 0
    output = capsys.readouterr()
    assert "hires image has 4 um/px, so a 112 um patch is 28 px wide" in output.out + output.err
    assert run(["embed", str(tmp_path / "store"), "--encoder", "stain", "-q"]) == 0
    values = SpotStore.open(tmp_path / "store").embedding("S1", encoder="stain").values
    truth = TISSUE.dark(Measured().places(TISSUE)[1])
    distance = np.linalg.norm(values[truth].mean(axis=0) - values[~truth].mean(axis=0))
    shuffled = np.random.default_rng(0).permutation(truth)
    assert distance > 5 * np.linalg.norm(values[shuffled].mean(axis=0) - values[~shuffled].mean(axis=0))
