"""Cells, beads and bins of an AnnData file, summed into squares."""

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from bundles.anndata_file import write_anndata
from scipy import sparse

from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData

UM_PER_PX = 0.25


def cells(step_um: float = 12.0, side: int = 30) -> ad.AnnData:
    """Return cells on a jittered grid, in px."""
    random = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    xy_um = np.column_stack([x.ravel(), y.ravel()]) * step_um + random.uniform(0, 1, (side**2, 2))
    counts = sparse.csr_matrix(random.poisson(0.5, (side**2, 40)).astype(np.float32))
    names = pd.Index([f"cell{number}" for number in range(side**2)])
    var = pd.DataFrame(index=[f"GENE{number}" for number in range(40)])
    return ad.AnnData(counts, obs=pd.DataFrame(index=names), var=var, obsm={"spatial": xy_um / UM_PER_PX})


def read(tmp_path: Path, adata: ad.AnnData, **options: Any) -> Section:
    reader = AnnData(AnnData.Options.model_validate(options))
    return reader.read(write_anndata(adata, tmp_path / "S1.h5ad"), ImageInputs(um_per_px=UM_PER_PX))


@pytest.mark.parametrize(("given", "width"), [({}, 100.0), ({"spot_um": 50.0}, 50.0)])
def test_squares_have_the_sums_of_their_cells(tmp_path: Path, given: dict[str, float], width: float) -> None:
    adata = cells()
    section = read(tmp_path, adata, unit="spot", **given)
    assert (section.spot_um, section.pitch_um, section.spot_shape) == (width, width, "square")
    xy_um = adata.obsm["spatial"] * UM_PER_PX
    obs = section.counts.obs
    for (x, y), row in zip(obs[["x_um", "y_um"]].to_numpy(), section.counts.X.toarray(), strict=True):
        inside = (np.abs(xy_um - [x, y]) <= width / 2).all(axis=1)
        np.testing.assert_array_equal(row, adata.X[inside].sum(axis=0).A1)
    assert section.counts.X.sum() == adata.X.sum()
    np.testing.assert_allclose(obs[["x_px", "y_px"]] * UM_PER_PX, obs[["x_um", "y_um"]])
    assert f"apart were summed into squares of {width:g} um" in section.notes[-1]
    assert section.sub_spots is not None
    assert section.sub_spots.ids[:2].tolist() == [b"cell0", b"cell1"]


def test_cells_stay_as_they_are_with_the_advice_to_sum_them(tmp_path: Path) -> None:
    section = read(tmp_path, cells())
    assert section.counts.n_obs == 900
    assert any("each is called from few counts; --set reader.unit=spot sums" in note for note in section.notes)
    chosen = read(tmp_path, cells(), unit="cell")
    assert chosen.counts.n_obs == 900
    assert not any("few counts" in note for note in chosen.notes)


def test_measured_spots_are_never_summed(tmp_path: Path) -> None:
    section = read(tmp_path, cells(step_um=55.0), unit="spot")
    assert section.counts.n_obs == 900
    assert not any("summed" in note or "few counts" in note for note in section.notes)
