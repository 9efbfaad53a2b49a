"""The pieces of tissue that a table counts: spots, bins or cells, placed in one coordinate system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_core.quoting import shortened
from spacrd_readers._base import first_names
from spacrd_readers.anndata.positions import positions_key, read_positions
from spacrd_readers.spatialdata.coordinates import map_to
from spacrd_readers.spatialdata.elements import measure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.spatialdata.elements import Kind
    from spacrd_readers.spatialdata.tables import Annotation


MIN_HELD = 0.9  # of ids: a few cells have no boundary
NUMBER = r"\d+(\.0)?"


@dataclass(frozen=True, eq=False)
class Pieces:
    """The pieces of a section.

    Attributes
    ----------
    rows
        Their rows in the table, in ascending order.
    table
        One row per piece: ``x``, ``y`` and ``area`` (NaN if unknown) in units of the coordinate system.
    kind
        What they are drawn as; '' if only their positions are known.
    elements
        The names of the elements with their outlines.
    """

    rows: NDArray[np.int64]
    table: pd.DataFrame
    kind: Kind | None
    elements: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def xy(self) -> NDArray[np.float64]:
        """Their centres, n x 2."""
        xy: NDArray[np.float64] = self.table[["x", "y"]].to_numpy(dtype=np.float64)
        return xy

    @property
    def width(self) -> float:
        """The median width of their areas, as discs or, of bins, as squares; 0 if no area is known."""
        areas = self.table["area"].to_numpy()
        if not np.isfinite(areas).any():
            return 0.0
        return float(np.sqrt(np.nanmedian(areas)) * (1 if self.kind == "point" else 2 / np.sqrt(np.pi)))

    def take(self, mask: NDArray[np.bool_], *notes: str) -> Pieces:
        """Return some of the pieces, with further notes."""
        return Pieces(self.rows[mask], self.table[mask], self.kind, self.elements, (*self.notes, *notes))


def outlines(data: Any, annotation: Annotation) -> dict[str, str]:
    """Return the element with the pieces of each region of a table, of those that the object holds.

    That is the element of the region's name; if there is none, shapes with nearly all of its named ids, such as the
    boundaries of cells whose labels were not kept.
    """
    found = {}
    for name, rows in annotation.rows.items():
        if name in data.shapes or name in data.labels or name in data.points:
            found[name] = name
        elif other := _shapes_with(data, annotation.instances.iloc[rows]):
            found[name] = other
    return found


def _shapes_with(data: Any, ids: pd.Series[str]) -> str:
    """Return the name of shapes that hold the ids, those of cells before others; '' if ids are numbers or not found."""
    if ids.str.fullmatch(NUMBER).all():
        return ""
    names = sorted(data.shapes, key=lambda name: (not name.startswith("cell"), name))
    return next((name for name in names if ids.isin(data.shapes[name].index.astype(str)).mean() >= MIN_HELD), "")


def place_pieces(
    file: AnnDataFile, data: Any, annotation: Annotation, elements: Mapping[str, str], system: str, path: Path
) -> Pieces:
    """Return the pieces of a section, by the elements of its regions, or else by the table's own positions.

    Raises
    ------
    GeometryError
        If none of them has a position.
    """
    pieces = _outlined(data, annotation, elements, system, path) if elements else _positioned(file, annotation, path)
    placed: NDArray[np.bool_] = np.asarray(np.isfinite(pieces.xy).all(axis=1))
    if not placed.any():
        regions = first_names(list(annotation.rows))
        raise GeometryError(
            f"none of the {len(placed)} rows of {file.path} has a shape or label in {regions}",
            hint="the ids of the table and of its shapes differ: check the column that the table names as instance_key",
        )
    if placed.all():
        return pieces
    ids = annotation.instances.iloc[pieces.rows[~placed]].tolist()
    return pieces.take(placed, f"rows of the table without a shape or label, left out: {len(ids)} ({first_names(ids)})")


def _outlined(data: Any, annotation: Annotation, elements: Mapping[str, str], system: str, path: Path) -> Pieces:
    parts, rows, kinds = [], [], []
    for name, region_rows in annotation.rows.items():
        table, kind = _region(data, elements.get(name), annotation.instances.iloc[region_rows], system, path)
        parts.append(table)
        rows.append(region_rows)
        kinds += [kind] if kind else []
    order = np.argsort(np.concatenate(rows), kind="stable")
    table = pd.concat(parts, ignore_index=True).iloc[order]
    notes = [
        f"the object does not hold the table's region '{shortened(region)}'; its ids are those of "
        f"'{shortened(element)}', which was read"
        for region, element in elements.items()
        if region != element
    ]
    return Pieces(np.concatenate(rows)[order], table, kinds[0], tuple(elements.values()), tuple(notes))


def _region(
    data: Any, name: str | None, instances: pd.Series[str], system: str, path: Path
) -> tuple[pd.DataFrame, Kind | None]:
    """Return position and area of each instance of a region, NaN where the region does not hold it."""
    if name is None:
        return pd.DataFrame(np.nan, index=instances.index, columns=["x", "y", "area"]), None
    element = data[name]
    measured, kind = measure(element, name, path)
    repeated = measured.index[measured.index.duplicated()]
    if len(repeated):
        raise GeometryError(
            f"the region '{shortened(name)}' of {path} has the shape {shortened(repeated[0])} more than once",
            hint="keep one shape of each cell, such as those of one z layer",
        )
    to_system = map_to(element, system)
    table = measured.reindex(_ids(instances, measured))
    xy = to_system.apply(table[["x", "y"]].to_numpy())
    return pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "area": table["area"].to_numpy() * to_system.scale**2}), kind


def _ids(instances: pd.Series[str], measured: pd.DataFrame) -> pd.Index[str]:
    """Return instance ids as the element writes them: tables may hold whole numbers as ``7.0``."""
    plain = pd.Index(instances)
    if plain.isin(measured.index).any():
        return plain
    return pd.Index(instances.str.removesuffix(".0"))


def _positioned(file: AnnDataFile, annotation: Annotation, path: Path) -> Pieces:
    """Return pieces at the table's own positions, which are taken as those of the coordinate system."""
    missing = first_names([name for name in annotation.rows if name]) or "nothing"
    try:
        key = positions_key(file)
    except StopIteration:
        raise GeometryError(
            f"{file.path} annotates {missing}, which {path} does not hold, and has no obsm['spatial']",
            hint="write the shapes or labels into the object too",
        ) from None
    rows = np.sort(np.concatenate(list(annotation.rows.values())))
    xy = read_positions(file, len(annotation.instances), key).iloc[rows]
    table = pd.DataFrame({"x": xy["x_px"], "y": xy["y_px"], "area": np.nan}).reset_index(drop=True)
    note = f"{path.name} holds no shapes or labels of the table's region ({missing}): positions are obsm['spatial']"
    return Pieces(rows, table, None, (), (note,))
