"""What an object states in um: centres of cells, their areas, the distance of px, or the width of bins beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine
from spacrd_readers._base import UM_PER_PX_TOLERANCE
from spacrd_readers.anndata.file import open_anndata
from spacrd_readers.anndata.groupings import as_numbers
from spacrd_readers.anndata.positions import positions_key, read_positions
from spacrd_readers.spatialdata.coordinates import PlaneMap, map_to, transformations
from spacrd_readers.spatialdata.elements import measure
from spacrd_readers.spatialdata.recognise import table_paths
from spacrd_readers.spatialdata.tables import BIN_NAME

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.spatialdata.pieces import Pieces

# All names of columns are in lower case.
XENIUM_COLUMNS = {"transcript_counts", "control_probe_counts"}
UM_TABLES = (XENIUM_COLUMNS, {"volume", "fov"}, {"volume", "barcodecount"})  # of tables with obsm['spatial'] in um
AREA_COLUMNS = ("area_um2", "area.um2")  # in um2; `cell_area` is so only of Xenium
RESOLUTION = "uns/cellBin_attrs/resolution"  # Stereo-seq
SCALE_TOLERANCE = 1e-3  # relative, between the axes of a fit to the centres of labels
MAX_UM_RMS = 5.0  # from the centres of cells as their platform gives them, in um


@dataclass(frozen=True)
class StatedUnit:
    """Um per unit of the coordinate system, and what it is from."""

    um: float
    source: str


def centre_as_stated(file: AnnDataFile, obs: pd.DataFrame, pieces: Pieces) -> tuple[Pieces, StatedUnit | None]:
    """Return cells at the centres that their platform gives in um, and the unit; unchanged if it gives none.

    The platform's centres are those that its own reader uses; those of outlines and labels are a little off.
    ``obs`` has the rows of the pieces.
    """
    columns = {str(name).casefold() for name in obs.columns}
    if pieces.kind is None or not any(own <= columns for own in UM_TABLES):
        return pieces, None
    try:
        um = read_positions(file, file.element("obs").shape[0], positions_key(file)).to_numpy()[pieces.rows]
        fit = fit_affine(pieces.xy, um)
    except (GeometryError, StopIteration):
        return pieces, None
    if fit.rms > MAX_UM_RMS or not fit.area > 0:
        return pieces, None
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = fit.matrix.T, fit.offset
    to_um = PlaneMap(matrix)
    # The offset of a mere scale is that of whole px of labels: without it, um are exactly those of the platform.
    centres = um / to_um.scale if to_um.is_scale(SCALE_TOLERANCE) else to_um.inverse().apply(um)
    table = pieces.table.assign(x=centres[:, 0], y=centres[:, 1])
    return replace(pieces, table=table), StatedUnit(to_um.scale, "the positions in obsm['spatial']")


def stated_unit(data: Any, obs: pd.DataFrame, pieces: Pieces, system: str, path: Path) -> StatedUnit | None:
    """Return the unit of a coordinate system as the object states it without positions in um; None if it does not."""
    return _unit_of_areas(obs, pieces) or _unit_of_resolution(path) or _unit_of_bins(data, system, path)


def _unit_of_areas(obs: pd.DataFrame, pieces: Pieces) -> StatedUnit | None:
    """Return the unit by the areas of cells in um2 that a table states; None if it states none."""
    column = _area_column(obs)
    if not column:
        return None
    um2, area = as_numbers(obs[column]).to_numpy(), pieces.table["area"].to_numpy()
    known = (um2 > 0) & (area > 0)
    if not known.any():
        return None
    ratio = float(np.sqrt(np.median(um2[known] / area[known])))
    return StatedUnit(1.0 if abs(ratio - 1) <= UM_PER_PX_TOLERANCE else ratio, f"the areas in obs['{column}']")


def _area_column(obs: pd.DataFrame) -> str:
    names = {str(name).casefold(): str(name) for name in obs.columns}
    known = ("cell_area", *AREA_COLUMNS) if names.keys() >= XENIUM_COLUMNS else AREA_COLUMNS
    return next((names[name] for name in known if name in names), "")


def _unit_of_resolution(path: Path) -> StatedUnit | None:
    """Return the unit by the distance of Stereo-seq's px, which the table of its cells states; None if it does not."""
    for name, table in table_paths(path).items():
        with open_anndata(table) as file:
            if file.has(RESOLUTION) and (nm := float(np.max(file.element(RESOLUTION)))) > 0:
                return StatedUnit(nm / 1000, f"{RESOLUTION} of the table '{name}', in nm")
    return None


def _unit_of_bins(data: Any, system: str, path: Path) -> StatedUnit | None:
    """Return the unit by the bins of Visium HD that an object holds beside its cells; None if it holds none."""
    for name in sorted(data.shapes):
        match = BIN_NAME.fullmatch(name)
        if match and system in transformations(data.shapes[name]):
            table, kind = measure(data.shapes[name].iloc[:1000], name, path)
            area = float(table["area"].median())
            side = 2 * np.sqrt(area / np.pi) if kind == "circle" else np.sqrt(area)  # circles touch their neighbours
            scale = map_to(data.shapes[name], system).scale
            return StatedUnit(float(match[1]) / float(side * scale), f"the {int(match[1])} um bins of '{name}'")
    return None
