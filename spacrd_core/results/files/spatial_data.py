"""The section as SpatialData: image, spots, regions and table in one zarr store, for napari, squidpy and sopa."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from spacrd_core.errors import ConfigError
from spacrd_core.outputs import kind_of
from spacrd_core.results.files.h5ad import annotated_section
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.results.result import Provenance, SectionResult
    from spacrd_core.slide.pyramid import Level, Pyramid

TABLE = "table"
REGION_KEY, INSTANCE_KEY = "spacrd_region", "spacrd_spot"  # obs columns: annotated element, and spot in it


def write_spatialdata(result: SectionResult, path: Path, provenance: Provenance) -> None:
    """Write the section with its calls; all elements use the coordinate system ``global``, in full-resolution px.

    Elements are named after the section, ``<id>_he``, ``<id>_spots`` and ``<id>_cancer_regions``, so that sections can
    be concatenated; ``table`` annotates the spots.

    Raises
    ------
    ConfigError
        If spatialdata is not installed.
    """
    with _import_spatialdata() as library:
        data = library.SpatialData(
            images=_image(result, library), shapes=_shapes(result, library), tables=_tables(result, library, provenance)
        )
        _write(data, path)


def is_own_spatialdata(path: Path) -> bool:
    """Return whether a path is a SpatialData object with calls."""
    return kind_of(path) == "a zarr" and (path / "tables" / TABLE / "uns" / "spacrd").is_dir()


@contextmanager
def _import_spatialdata() -> Iterator[Any]:
    """Yield the library, with warnings about its dependencies suppressed."""
    try:
        import spatialdata  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the format 'spatialdata' needs the library spatialdata, which is not installed",
            hint="pip install 'spacrd[spatialdata]'",
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*autosharding will be the default.*")
        yield spatialdata


def _write(data: Any, folder: Path) -> None:
    """Write the elements in this thread: others would still write into the folder after one has failed."""
    import dask  # noqa: PLC0415 - comes with spatialdata

    with dask.config.set(scheduler="synchronous"):
        data.write(folder)


def _image(result: SectionResult, library: Any) -> dict[str, Any]:
    """Return the slide at all stored resolutions."""
    if not result.slide or not result.slide_um_per_full_px:
        return {}
    scale = result.slide.levels[0].um_per_px / result.slide_um_per_full_px
    image = _multiscale(result.slide)
    to_global = {"global": library.transformations.Scale([scale, scale], axes=("x", "y"))}
    library.transformations.set_transformation(image, to_global, set_all=True)
    return {f"{result.section_id}_he": image}


def _multiscale(slide: Pyramid) -> Any:
    """Return all levels in spatialdata's layout, read lazily by chunk: a slide may not fit in memory."""
    import dask.array  # noqa: PLC0415 - comes with spatialdata
    import xarray  # noqa: PLC0415 - comes with spatialdata

    from_array: Any = dask.array.from_array
    scales = {}
    for number, level in enumerate(slide.levels):
        step = level.um_per_px / slide.levels[0].um_per_px
        centres = {axis: (np.arange(count) + 0.5) * step for axis, count in (("y", level.height), ("x", level.width))}
        planes = from_array(_Planes(level), level.array.chunks, name=False)
        image = xarray.DataArray(planes, dims=("c", "y", "x"), coords={"c": ["r", "g", "b"], **centres})
        scales[f"scale{number}"] = xarray.Dataset({"image": image})
    return xarray.DataTree.from_dict(scales)


class _Planes:
    """A level, 3 x height x width, that dask reads; damage to it is named."""

    def __init__(self, level: Level) -> None:
        self.shape, self.dtype, self.ndim = level.array.shape, level.array.dtype, level.array.ndim
        self._level = level

    def __getitem__(self, index: tuple[slice, slice, slice]) -> UInt8Array:
        channels, rows, columns = index
        pixels = self._level.read(rows.start, rows.stop, columns.start, columns.stop)
        return np.moveaxis(pixels, -1, 0)[channels]


def _shapes(result: SectionResult, library: Any) -> dict[str, Any]:
    shapes = {f"{result.section_id}_spots": _spots(result)}
    if result.regions:
        outlines = [region.outline for region in result.regions]
        areas = [result.region_mm2(region) for region in result.regions]
        names = [f"Cancer region {number}" for number in range(1, len(outlines) + 1)]
        shapes[f"{result.section_id}_cancer_regions"] = _frame({"area_mm2": areas}, outlines, names)
    return {name: library.models.ShapesModel.parse(frame) for name, frame in shapes.items()}


def _spots(result: SectionResult) -> Any:
    """Return every spot of the section, called or not: circles (centre and radius) or rotated squares."""
    points = result.adata.obs[["x_px", "y_px"]].to_numpy(dtype=float)
    if result.spot_shape == "disc":
        return _frame({"radius": result.spot_px / 2}, shapely.points(points), result.adata.obs_names)
    squares = footprints(points, result.spot_px, result.spot_shape, angle=result.angle)
    return _frame({}, squares, result.adata.obs_names)


def _frame(columns: dict[str, Any], shapes: Any, names: Any) -> Any:
    import geopandas  # noqa: PLC0415 - comes with spatialdata

    return geopandas.GeoDataFrame(columns, geometry=list(shapes), index=names)


def _tables(result: SectionResult, library: Any, provenance: Provenance) -> dict[str, Any]:
    table, region = annotated_section(result, provenance), f"{result.section_id}_spots"
    table.obs[REGION_KEY] = table.obs_names.map(lambda _: region).astype("category")
    table.obs[INSTANCE_KEY] = table.obs_names
    return {
        TABLE: library.models.TableModel.parse(table, region=region, region_key=REGION_KEY, instance_key=INSTANCE_KEY)
    }
