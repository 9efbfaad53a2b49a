"""The section as SpatialData: image, spots, regions and table in one zarr store, for napari, squidpy and sopa."""

from __future__ import annotations

import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from spacrd_core.errors import ConfigError
from spacrd_core.results.files.h5ad import with_calls
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.results.result import Provenance, SectionResult
    from spacrd_core.slide.pyramid import Pyramid

REGION, SPOT = "spacrd_region", "spacrd_spot"  # which element a row of the table annotates, and what of it


def write_spatialdata(result: SectionResult, path: Path, provenance: Provenance) -> None:
    """Write the section with its calls; every element lies in ``global``, which is full-resolution px.

    Elements are named after the section, ``<id>_he``, ``<id>_spots`` and ``<id>_cancer_regions``, so that sections can
    be put together; ``table`` annotates the spots.

    Raises
    ------
    ConfigError
        If spatialdata is not installed.
    """
    with _library() as library, TemporaryDirectory(prefix=".spacrd-", dir=path.parent) as aside:
        data = library.SpatialData(
            images=_image(result, library), shapes=_shapes(result, library), tables=_tables(result, library, provenance)
        )
        data.write(Path(aside) / path.name)
        if path.is_dir():
            shutil.rmtree(path)
        (Path(aside) / path.name).rename(path)


@contextmanager
def _library() -> Iterator[Any]:
    """The library, without what it says of the libraries below it."""
    try:
        import spatialdata  # noqa: PLC0415 - an extra that most users do without
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the format 'spatialdata' needs the library spatialdata, which is not installed",
            hint="pip install 'spacrd[spatialdata]'",
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*autosharding will be the default.*")
        yield spatialdata


def _image(result: SectionResult, library: Any) -> dict[str, Any]:
    """The slide as the store has it, at all its resolutions."""
    if not result.slide or not result.slide_um_per_full_px:
        return {}
    scale = result.slide.levels[0].um_per_px / result.slide_um_per_full_px
    image = _multiscale(result.slide)
    to_global = {"global": library.transformations.Scale([scale, scale], axes=("x", "y"))}
    library.transformations.set_transformation(image, to_global, set_all=True)
    return {f"{result.section_id}_he": image}


def _multiscale(slide: Pyramid) -> Any:
    """Every level as spatialdata lays them out, read when it is written, chunk by chunk: a slide may not fit memory."""
    import dask.array  # noqa: PLC0415 - comes with spatialdata
    import xarray  # noqa: PLC0415 - comes with spatialdata

    lazy: Any = dask.array.from_zarr
    scales = {}
    for number, level in enumerate(slide.levels):
        step = level.um_per_px / slide.levels[0].um_per_px
        centres = {axis: (np.arange(count) + 0.5) * step for axis, count in (("y", level.height), ("x", level.width))}
        image = xarray.DataArray(lazy(level.array), dims=("c", "y", "x"), coords={"c": ["r", "g", "b"], **centres})
        scales[f"scale{number}"] = xarray.Dataset({"image": image})
    return xarray.DataTree.from_dict(scales)


def _shapes(result: SectionResult, library: Any) -> dict[str, Any]:
    shapes = {f"{result.section_id}_spots": _spots(result)}
    if result.regions:
        outlines = [region.outline for region in result.regions]
        areas = [result.mm2(outline.area) for outline in outlines]
        names = [f"Cancer region {number}" for number in range(1, len(outlines) + 1)]
        shapes[f"{result.section_id}_cancer_regions"] = _frame({"area_mm2": areas}, outlines, names)
    return {name: library.models.ShapesModel.parse(frame) for name, frame in shapes.items()}


def _spots(result: SectionResult) -> Any:
    """Every spot of the section, called or not: circles as centre and radius, squares as they lie on the image."""
    points = result.adata.obs[["x_px", "y_px"]].to_numpy(dtype=float)
    if result.spot_shape == "disc":
        return _frame({"radius": result.spot_px / 2}, shapely.points(points), result.adata.obs_names)
    squares = footprints(points, result.spot_px, result.spot_shape, angle=result.angle)
    return _frame({}, squares, result.adata.obs_names)


def _frame(columns: dict[str, Any], shapes: Any, names: Any) -> Any:
    import geopandas  # noqa: PLC0415 - comes with spatialdata

    return geopandas.GeoDataFrame(columns, geometry=list(shapes), index=names)


def _tables(result: SectionResult, library: Any, provenance: Provenance) -> dict[str, Any]:
    table, region = with_calls(result, provenance), f"{result.section_id}_spots"
    table.obs[REGION] = table.obs_names.map(lambda _: region).astype("category")
    table.obs[SPOT] = table.obs_names
    return {"table": library.models.TableModel.parse(table, region=region, region_key=REGION, instance_key=SPOT)}
