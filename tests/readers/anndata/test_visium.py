"""Real Visium runs as AnnData objects of squidpy and scanpy."""

import gzip
import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import io

from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData


def read(path: Path) -> Section:
    return AnnData(AnnData.Options()).read(path, ImageInputs())


def fiducial_um(adata: ad.AnnData, section: Section) -> float:
    """Return the diameter of the fiducials by the um/px that was found: 105 um on every Visium slide."""
    (library,) = adata.uns["spatial"].values()
    return float(library["scalefactors"]["fiducial_diameter_fullres"]) * section.um_per_px


@pytest.mark.filterwarnings("default")
def test_an_object_by_squidpy_is_read_as_it_draws_it(visium: Path, tmp_path: Path) -> None:
    squidpy = pytest.importorskip("squidpy", reason="squidpy is not installed")
    adata = squidpy.read.visium(visium / "tiny_spaceranger1/visium_data/1.0.0")
    adata.write_h5ad(tmp_path / "tiny.h5ad")
    section = read(tmp_path / "tiny.h5ad")
    assert section.counts.shape == (100, 100)
    assert (section.counts.X != adata.X).nnz == 0
    np.testing.assert_array_equal(section.counts.obs[["x_px", "y_px"]], adata.obsm["spatial"])
    assert list(section.counts.var["gene_id"]) == list(adata.var["gene_ids"])
    assert section.um_per_px == pytest.approx(0.7268, rel=0.002)
    assert fiducial_um(adata, section) == pytest.approx(105, rel=0.001)
    assert section.slide
    assert section.slide.pixels is not None
    assert (section.slide.scale, section.slide.pixels.shape) == (0.150015, (2000, 2000, 3))
    shown = adata.uns["spatial"]["custom"]["images"]["hires"]
    np.testing.assert_array_equal(section.slide.pixels[shown[..., 3] == 255], shown[shown[..., 3] == 255][:, :3])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The default value for `spmatrix`:DeprecationWarning")  # scipy 1.18
def test_a_cytassist_run_laid_out_by_scanpy_is_read_whole(visium: Path, tmp_path: Path) -> None:
    adata = laid_out(visium / "mouse_embryo_spaceranger3")
    adata.write_h5ad(tmp_path / "embryo.h5ad")
    section = read(tmp_path / "embryo.h5ad")
    assert section.counts.shape == (2898, 19465)
    assert int(section.counts.X.sum()) == int(adata.X.sum())
    assert (section.spot_um, section.pitch_um) == (55.0, 100.0)
    assert fiducial_um(adata, section) == pytest.approx(105, rel=0.001)
    assert section.slide
    assert section.slide.um_per_px == pytest.approx(23.39, abs=0.01)
    assert "lowres image has 23.4 um/px, so a 112 um patch is 5 px wide" in section.notes[-1]


def laid_out(run: Path) -> ad.AnnData:
    """Return a run as ``scanpy.read_visium`` lays it out, with the one picture it has."""
    matrix = run / "filtered_feature_bc_matrix"
    with gzip.open(matrix / "matrix.mtx.gz") as stream:
        counts = io.mmread(stream).T.tocsr().astype(np.float32)
    names = pd.read_csv(matrix / "features.tsv.gz", sep="\t", header=None)
    symbols = ad.utils.make_index_unique(pd.Index(names[1].to_numpy()))
    barcodes = pd.read_csv(matrix / "barcodes.tsv.gz", header=None)[0]
    positions = pd.read_csv(run / "spatial/tissue_positions.csv", index_col=0).loc[barcodes]
    adata = ad.AnnData(
        counts,
        obs=positions[["in_tissue", "array_row", "array_col"]],
        var=pd.DataFrame({"gene_ids": names[0].to_numpy(), "feature_types": names[2].to_numpy()}, index=symbols),
        obsm={"spatial": positions[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy()},
    )
    factors = json.loads((run / "spatial/scalefactors_json.json").read_text())
    adata.uns["spatial"] = {"embryo": {"images": {"lowres": picture(run)}, "scalefactors": factors}}
    return adata


def picture(run: Path) -> NDArray[np.float32]:
    """Return the picture in floats from 0 to 1, as matplotlib reads a PNG."""
    return np.asarray(Image.open(run / "spatial/tissue_lowres_image.png"), dtype=np.float32) / np.float32(255)
