"""AnnData objects of the synthetic tissue in the layout of squidpy, and their files."""

import shutil
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray
from scipy import sparse

from bundles.tissue import Pose, Tissue

VISIUM_DIAMETER_UM = 65.0  # spot_diameter_fullres on Visium


@dataclass(frozen=True)
class Measured:
    """The measurement and imaging of the tissue.

    Attributes
    ----------
    pose
        Pose of the full-resolution image, which no object contains.
    lattice, pitch_um
        Hexagonal as Visium's, or square.
    hires
        Px of the hires image per full-resolution px.
    library
        The name of the section.
    """

    pose: Pose = field(default_factory=lambda: Pose(um_per_px=1.0))
    lattice: Literal["hexagonal", "square"] = "hexagonal"
    pitch_um: float = 100.0
    hires: float = 0.25
    library: str = "V1"

    def places(self, tissue: Tissue) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the array positions (column, row) and the um of the spots on the tissue."""
        steps = np.array([0.5, 0.87] if self.lattice == "hexagonal" else [1.0, 1.0]) * self.pitch_um
        columns, rows = (np.arange(1, size // step) for size, step in zip(tissue.size_um, steps, strict=True))
        array = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2).astype(int)
        if self.lattice == "hexagonal":
            array = array[array.sum(axis=1) % 2 == 0]
        return array, array * steps


TISSUE = Tissue()
VISIUM = Measured()


def tissue_object(measured: Measured = VISIUM, tissue: Tissue = TISSUE, *, picture: bool = True) -> ad.AnnData:
    """Return the tissue as ``squidpy.read.visium`` would: genes by symbol, image and scale factors in ``uns``."""
    array, um = measured.places(tissue)
    obs = pd.DataFrame(
        {"in_tissue": 1, "array_row": array[:, 1], "array_col": array[:, 0]},
        index=pd.Index([f"AAAC{column:03d}T{row:03d}-1" for column, row in array]),
    )
    var = pd.DataFrame(
        {"gene_ids": tissue.ids, "feature_types": "Gene Expression", "genome": "GRCh38"}, index=pd.Index(tissue.symbols)
    )
    counts = sparse.csr_matrix(tissue.counts(um, mean=6.0).astype(np.float32))
    adata = ad.AnnData(counts, obs=obs, var=var, obsm={"spatial": measured.pose.to_px(tissue, um)})
    factors = {
        "spot_diameter_fullres": VISIUM_DIAMETER_UM / measured.pose.um_per_px,
        "tissue_hires_scalef": measured.hires,
    }
    adata.uns["spatial"] = {measured.library: {"images": {}, "scalefactors": factors, "metadata": {}}}
    if picture:
        shown = replace(measured.pose, um_per_px=measured.pose.um_per_px / measured.hires)
        adata.uns["spatial"][measured.library]["images"]["hires"] = tissue.picture(shown)
    return adata


def age(path: Path) -> Path:
    """Rewrite a .h5ad as anndata 0.7 writes it: categories stored separately, arrays without encoding attributes."""
    with h5py.File(path, "r+") as file:
        del file.attrs["encoding-type"], file.attrs["encoding-version"]
        file.visititems(_age)
        for table in ("obs", "var"):
            file[table].attrs["encoding-version"] = "0.1.0"
            for name in [name for name, column in file[table].items() if isinstance(column, h5py.Group)]:
                if "values" in file[table][name]:  # text, as anndata 0.13 writes it
                    values = file[table][name]["values"][:]
                    del file[table][name]
                    file[table][name] = values
                    continue
                categories, codes = file[table][name]["categories"][:], file[table][name]["codes"][:]
                del file[table][name]
                file[table][f"__categories/{name}"], file[table][name] = categories, codes
                file[table][name].attrs["categories"] = file[table][f"__categories/{name}"].ref
    return path


def _age(_: str, node: h5py.Dataset | h5py.Group) -> None:
    if isinstance(node, h5py.Dataset) or node.attrs.get("encoding-type") == "dict":
        for name in ("encoding-type", "encoding-version"):
            node.attrs.pop(name, None)


def write_anndata(adata: ad.AnnData, path: Path, *, zarr_format: Literal[2, 3] = 3) -> Path:
    """Write an object as .h5ad, .zarr, or .zarr.zip (a zipped folder), by the name of the path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # future warnings of anndata and zarr
        if path.name.endswith(".zarr.zip"):
            folder = path.with_name("packed") / path.name.removesuffix(".zip")
            _write_zarr(adata, folder, zarr_format)
            shutil.make_archive(str(path.with_suffix("")), "zip", folder.parent)
        elif path.suffix == ".zarr":
            _write_zarr(adata, path, zarr_format)
        else:
            adata.write_h5ad(path)
    return path


def _write_zarr(adata: ad.AnnData, folder: Path, zarr_format: Literal[2, 3]) -> None:
    """Write as ``write_zarr`` does, without its setting of the format, which anndata 0.14 removes."""
    adata.strings_to_categoricals()
    group = zarr.open_group(folder, mode="w", zarr_format=zarr_format)
    ad.io.write_elem(group, "/", adata)
    zarr.consolidate_metadata(group.store)
