"""Simulated measurements of a specimen: spots or cells of each platform, with counts and true tissue class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spacrd_core.demo.tissue import FAT, GLANDS, IMMUNE, STROMA, TISSUE_CLASSES, TUMOUR

if TYPE_CHECKING:
    from spacrd_core.demo.genes import ClassIndices, Counts
    from spacrd_core.demo.specimen import Specimen

Floats = NDArray[np.float64]

ST_POSITIONS, ST_PITCH_UM, ST_SPOT_UM = (33, 35), 200.0, 100.0
VISIUM_ROWS, VISIUM_COLUMNS, VISIUM_SPOT_UM = 78, 128, 55.0
VISIUM_STEP_UM = np.array([50.0, 87.0])  # spots in a row are two columns (100 um) apart
VISIUM_CORNER_UM = np.array([25.0, 50.0])
CELL_SPACING_UM = 18.0
CELL_OCCUPANCY = {TUMOUR: 0.95, STROMA: 0.45, FAT: 0.15, IMMUNE: 1.0, GLANDS: 0.85}  # fraction of positions with a cell
UNDETERMINED = ""
MIN_LABEL_SHARE = 0.5  # a spot is labelled with the class that fills more than this share of it


@dataclass(frozen=True)
class Spots:
    """Measured spots: array positions (column, row), centres in um, counts, and the main tissue class."""

    array: Floats
    centres_um: Floats
    counts: Counts
    labels: list[str]


@dataclass(frozen=True)
class Cells:
    """Measured cells: centroids in um, counts of the panel genes, and tissue class."""

    centres_um: Floats
    counts: Counts
    class_indices: ClassIndices


def measure_st(specimen: Specimen) -> Spots:
    """Return the 100 um spots of legacy ST under tissue, printed slightly off their lattice."""
    rng = np.random.default_rng(specimen.seed)
    columns, rows = np.mgrid[2 : ST_POSITIONS[0], 2 : ST_POSITIONS[1]].reshape(2, -1).astype(float)
    offset = rng.uniform(-0.15, 0.15, 2) + rng.normal(0.0, 0.015, (columns.size, 2))
    array = np.column_stack([columns, rows]) + offset
    return _under_tissue(specimen, array, (array - 1.0) * ST_PITCH_UM, spot_um=ST_SPOT_UM, median=900.0, rng=rng)


def measure_visium(specimen: Specimen) -> Spots:
    """Return the 55 um spots of a Visium capture area under tissue."""
    array = visium_array()
    rng = np.random.default_rng(specimen.seed)
    return _under_tissue(specimen, array, visium_um(array), spot_um=VISIUM_SPOT_UM, median=1400.0, rng=rng)


def visium_array() -> Floats:
    """Return column and row of all 4,992 spots of a 6.5 mm capture area; column + row is even."""
    rows, columns = np.mgrid[:VISIUM_ROWS, : VISIUM_COLUMNS // 2].reshape(2, -1)
    return np.column_stack([2 * columns + rows % 2, rows]).astype(float)


def visium_um(array: Floats) -> Floats:
    """Return the centres in um of spots of a capture area."""
    return np.asarray(VISIUM_CORNER_UM + array * VISIUM_STEP_UM)


def measure_xenium(specimen: Specimen) -> Cells:
    """Return about 2,000 cells per mm2; the class of each is drawn from the tissue composition at its position."""
    rng = np.random.default_rng(specimen.seed)
    (top, bottom), (left, right) = specimen.tissue.extent_um
    x, y = np.mgrid[left:right:CELL_SPACING_UM, top:bottom:CELL_SPACING_UM].reshape(2, -1)
    centres = np.column_stack([x, y]) + rng.uniform(-0.4, 0.4, (x.size, 2)) * CELL_SPACING_UM
    centres = centres[specimen.tissue.depth_um(*centres.T) > 0]
    cumulative = specimen.tissue.shares(*centres.T).cumsum(axis=1)
    class_indices = (rng.random((len(centres), 1)) > cumulative).sum(axis=1).clip(max=len(TISSUE_CLASSES) - 1)
    present = (
        rng.random(len(class_indices))
        < np.array([CELL_OCCUPANCY[tissue_class] for tissue_class in sorted(CELL_OCCUPANCY)])[class_indices]
    )
    centres, class_indices = centres[present], class_indices[present]
    return Cells(centres, specimen.programmes.cell_counts(rng, class_indices, median=70.0), class_indices)


def _under_tissue(
    specimen: Specimen, array: Floats, centres: Floats, *, spot_um: float, median: float, rng: np.random.Generator
) -> Spots:
    """Return the spots with more than half of their disc on tissue."""
    turns = np.arange(12) * np.pi * (3 - np.sqrt(5))  # golden angle: points spread evenly over the disc
    disc = spot_um / 2 * np.sqrt((np.arange(12) + 0.5) / 12)[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
    x_um, y_um = np.moveaxis(centres[:, None, :] + disc, -1, 0)
    covered = (specimen.tissue.depth_um(x_um, y_um) > 0).mean(axis=1) > 0.5
    shares = specimen.tissue.shares(x_um[covered], y_um[covered]).mean(axis=1)
    counts = specimen.programmes.spot_counts(rng, shares, median=median)
    labels = [TISSUE_CLASSES[row.argmax()] if row.max() > MIN_LABEL_SHARE else UNDETERMINED for row in shares]
    return Spots(array[covered], centres[covered], counts, labels)
