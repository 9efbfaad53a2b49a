"""SpatialData objects of the synthetic tissue, written by the library in the layouts of spatialdata-io's readers."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import geopandas
import numpy as np
import pandas as pd
import shapely
import spatialdata
from numpy.typing import NDArray
from scipy import sparse
from spatialdata.models import Image2DModel, Labels2DModel, PointsModel, ShapesModel, TableModel
from spatialdata.transformations import Affine

from bundles.anndata_file import Measured, tissue_object
from bundles.tissue import Pose, Tissue

TISSUE = Tissue()
SMALL = Tissue(size_um=(600.0, 480.0), square_um=(100.0, 100.0, 300.0, 300.0))
XENIUM_UM_PER_PX, COSMX_UM_PER_PX = 0.2125, 0.12028
CELL_UM = 8.0
Floats = NDArray[np.float64]


def cell_places(tissue: Tissue = TISSUE, *, count: int = 3000, seed: int = 3) -> Floats:
    """Return the centres of cells on a tissue, in um."""
    return np.random.default_rng(seed).uniform(CELL_UM, np.array(tissue.size_um) - CELL_UM, (count, 2))


def write(path: Path, **elements: Any) -> Path:
    """Write an object with the library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spatialdata.SpatialData(**elements).write(path)
    return path


def affine(matrix: Floats) -> Any:
    return Affine(matrix, input_axes=("x", "y"), output_axes=("x", "y"))


def image(pixels: NDArray[Any], matrix: Floats | None = None, *, system: str = "global", scales: int = 0) -> Any:
    """Return an image (height x width x channels) with its map to a coordinate system, at one or more scales."""
    names = ["r", "g", "b"] if pixels.shape[2] == 3 else [f"stain{number}" for number in range(pixels.shape[2])]
    options: dict[str, Any] = {"scale_factors": [2] * scales} if scales else {}
    return Image2DModel.parse(
        pixels.transpose(2, 0, 1),
        dims=("c", "y", "x"),
        c_coords=names,
        transformations={system: affine(np.eye(3) if matrix is None else matrix)},
        **options,
    )


def shapes(
    geometry: Any, index: Sequence[Any], matrix: Floats | None = None, *, radius: float = 0, system: str = "global"
) -> Any:
    """Return shapes with their ids and their map to a coordinate system; points with a radius are circles."""
    columns = {"radius": np.full(len(index), radius)} if radius else {}
    frame = geopandas.GeoDataFrame(columns, geometry=list(geometry), index=list(index))
    return ShapesModel.parse(frame, transformations={system: affine(np.eye(3) if matrix is None else matrix)})


def table(adata: ad.AnnData, region: str | Sequence[str], of_row: Any, ids: Any) -> ad.AnnData:
    """Return a table that annotates regions; ``of_row`` is the region of each row, ``ids`` its instance."""
    adata = adata.copy()
    adata.obs["region"] = pd.Categorical(of_row if not isinstance(of_row, str) else [of_row] * adata.n_obs)
    adata.obs["instance"] = ids
    names = region if isinstance(region, str) else list(region)
    return TableModel.parse(adata, region=names, region_key="region", instance_key="instance")


def visium(measured: Measured, tissue: Tissue = TISSUE, *, name: str = "S1") -> dict[str, Any]:
    """Return the elements of a Visium section: circles in full-resolution px, a full and a hires image."""
    adata = tissue_object(measured, tissue, picture=False)
    xy = adata.obsm["spatial"]
    adata.uns.clear()
    pixels = tissue.picture(measured.pose)
    preview = np.diag([4.0, 4.0, 1.0])
    radius = 32.5 / measured.pose.um_per_px
    return {
        "images": {
            f"{name}_full_image": image(pixels, scales=2),
            f"{name}_hires_image": image(pixels[::4, ::4], preview),
        },
        "shapes": {name: shapes(shapely.points(xy), range(adata.n_obs), radius=radius)},
        "tables": {"table": table(adata, name, name, range(adata.n_obs))},
    }


def cells(um: Floats, tissue: Tissue = TISSUE) -> ad.AnnData:
    """Return a table of cells with a control among its features."""
    counts = np.column_stack([tissue.counts(um, mean=0.5), np.ones(len(um), dtype=np.int32)])
    var = pd.DataFrame(index=pd.Index([*tissue.symbols, "NegPrb01"]))
    return ad.AnnData(
        sparse.csr_matrix(counts.astype(np.float32)), var=var, obs=pd.DataFrame(index=[str(i) for i in range(len(um))])
    )


def xenium(um: Floats, he: Pose | None = None, tissue: Tissue = TISSUE) -> dict[str, Any]:
    """Return the elements of a Xenium section: outlines in um, morphology px as ``global``, an aligned H&E."""
    adata = cells(um, tissue)
    ids = [f"cell{number:05d}-1" for number in range(len(um))]
    adata.obs["transcript_counts"], adata.obs["control_probe_counts"] = 10, 0
    adata.obs["cell_area"] = CELL_UM**2
    adata.obsm["spatial"] = um
    half = CELL_UM / 2
    boxes = shapely.box(um[:, 0] - half, um[:, 1] - half, um[:, 0] + half, um[:, 1] + half)
    to_px = np.diag([1 / XENIUM_UM_PER_PX, 1 / XENIUM_UM_PER_PX, 1.0])
    dark = np.random.default_rng(0).integers(0, 4000, (200, 250, 4)).astype(np.uint16)
    images = {"morphology_focus": image(dark, np.diag([60.0, 60.0, 1.0]))}
    if he:
        images["he_image"] = image(tissue.picture(he), to_px @ np.linalg.inv(he.matrix(tissue)), scales=1)
    return {
        "images": images,
        "shapes": {"cell_boundaries": shapes(boxes, ids, to_px)},
        "tables": {"table": table(adata, "cell_boundaries", "cell_boundaries", ids)},
    }


def cosmx(
    um: Floats, tissue: Tissue = SMALL, *, um_per_px: float = COSMX_UM_PER_PX, columns: int = 2
) -> dict[str, Any]:
    """Return the elements of a CosMx section: labels of each field of view, placed side by side in ``global``."""
    adata, width = cells(um, tissue), tissue.size_um[0] / columns
    fov = (um[:, 0] // width).astype(int) + 1
    instance = np.zeros(len(um), dtype=int)
    labels = {}
    for number in range(1, columns + 1):
        rows = np.flatnonzero(fov == number)
        instance[rows] = np.arange(1, len(rows) + 1)
        picture = np.zeros((int(tissue.size_um[1] / um_per_px), int(width / um_per_px)), dtype=np.int32)
        centres = np.round((um[rows] - [(number - 1) * width, 0]) / um_per_px).astype(int)
        for label, (x, y) in enumerate(centres, start=1):
            picture[max(0, y - 3) : y + 3, max(0, x - 3) : x + 3] = label
        shift = np.eye(3)
        shift[0, 2] = (number - 1) * width / um_per_px
        labels[f"{number}_labels"] = Labels2DModel.parse(
            picture, dims=("y", "x"), transformations={"global": affine(shift), str(number): affine(np.eye(3))}
        )
    adata.obs["Area.um2"] = 36 * um_per_px**2
    names = [f"{number}_labels" for number in fov]
    return {"labels": labels, "tables": {"table": table(adata, list(labels), names, instance)}}


def bins(pose: Pose, tissue: Tissue = SMALL, *, bin_um: int = 8, name: str = "HD") -> dict[str, Any]:
    """Return the elements of a Visium HD section: squares in full-resolution px, in a system named after it."""
    columns, rows = (int(size // bin_um) for size in tissue.size_um)
    row, column = (axis.ravel() for axis in np.indices((rows, columns)))
    um = np.asarray((np.column_stack([column, row]) + 0.5) * bin_um, dtype=np.float64)
    ids = [f"s_{bin_um:03d}um_{i:05d}_{j:05d}-1" for i, j in zip(row, column, strict=True)]
    adata = ad.AnnData(
        sparse.csr_matrix(tissue.counts(um, mean=0.5).astype(np.float32)),
        obs=pd.DataFrame({"in_tissue": 1, "array_row": row, "array_col": column}, index=ids),
        var=pd.DataFrame({"gene_ids": tissue.ids}, index=pd.Index(tissue.symbols)),
    )
    element = f"{name}_square_{bin_um:03d}um"
    xy = pose.to_px(tissue, um)
    circles = shapes(shapely.points(xy), range(len(um)), radius=bin_um / 2 / pose.um_per_px, system=name)
    return {
        "images": {f"{name}_full_image": image(tissue.picture(pose), system=name)},
        "shapes": {element: circles},
        "tables": {f"square_{bin_um:03d}um": table(adata, element, element, range(len(um)))},
    }


def xenium_labels(um: Floats, tissue: Tissue = TISSUE, *, half_px: int = 15) -> dict[str, Any]:
    """Return the elements of a Xenium section as spatialdata-io writes it by default: the table annotates labels.

    Labels are drawn in whole px, so that their centres and areas are a little off those that the table states.
    """
    elements, count = xenium(um, None, tissue), len(um)
    height, width = (int(np.ceil(size / XENIUM_UM_PER_PX)) for size in tissue.size_um[::-1])
    picture = np.zeros((height, width), dtype=np.uint32)
    for label, (x, y) in enumerate((um / XENIUM_UM_PER_PX).astype(int), start=1):
        picture[max(0, y - half_px) : y + half_px, max(0, x - half_px) : x + half_px] = label
    cell_table = elements["tables"]["table"].copy()
    cell_table.obs = cell_table.obs.assign(cell_id=cell_table.obs["instance"], cell_area=CELL_UM**2)
    labels = Labels2DModel.parse(picture, dims=("y", "x"), transformations={"global": affine(np.eye(3))})
    del cell_table.uns["spatialdata_attrs"]
    annotated = table(cell_table, "cell_labels", "cell_labels", np.arange(1, count + 1))
    return {**elements, "labels": {"cell_labels": labels}, "tables": {"table": annotated}}


def stereo_bins(tissue: Tissue = SMALL, *, px_per_bin: int = 20, um_per_px: float = 0.5) -> dict[str, Any]:
    """Return the elements of a Stereo-seq section: cells as circles, and bins as points at their corners, in px."""
    um = cell_places(tissue, count=400)
    cell_table = table(cells(um, tissue), "cells_circles", "cells_circles", [str(number) for number in range(len(um))])
    cell_table.uns["cellBin_attrs"] = {"resolution": np.array([round(um_per_px * 1000)], dtype=np.uint32)}
    columns, rows = (np.arange(0, size / um_per_px, px_per_bin) for size in tissue.size_um)
    corners = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    counts = tissue.counts((corners + px_per_bin / 2) * um_per_px, mean=0.5)
    bin_table = ad.AnnData(
        sparse.csr_matrix(counts.astype(np.float32)),
        obs=pd.DataFrame(index=[str(number) for number in range(len(corners))]),
        var=pd.DataFrame(index=pd.Index(tissue.symbols)),
    )
    bin_name = f"bin{px_per_bin}"
    points = PointsModel.parse(pd.DataFrame(corners, columns=["x", "y"]), coordinates={"x": "x", "y": "y"})
    return {
        "shapes": {"cells_circles": shapes(shapely.points(um / um_per_px), cell_table.obs_names.tolist(), radius=8.0)},
        "points": {f"{bin_name}_genes": points},
        "tables": {
            "cells_table": cell_table,
            f"{bin_name}_table": table(bin_table, f"{bin_name}_genes", f"{bin_name}_genes", range(len(corners))),
        },
    }
