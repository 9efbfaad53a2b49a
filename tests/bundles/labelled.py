"""A section of 4 x 4 spots, 100 um apart, identified by barcodes or summed from cells, and label files for it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.section.section import Section, SlideFile, SubSpots

SIDE, PITCH_UM, UM_PER_PX = 4, 100.0, 0.5
BARCODES = tuple(f"{'ACGT'[n // 4]}{'ACGT'[n % 4]}{'A' * 14}-1" for n in range(SIDE**2))
GRID_NAMES = tuple(f"{n % SIDE}x{n // SIDE}" for n in range(SIDE**2))
NUMBERS = tuple(str(n + 1) for n in range(4 * SIDE**2))  # Xenium cell ids before version 1.3
CELLS = tuple(f"aaaaaa{'abcd'[n // 16]}{'abcdefghijklmnop'[n % 16]}-1" for n in range(4 * SIDE**2))  # and since
BINS = tuple(f"s_008um_{n // 8:05}_{n % 8:05}-1" for n in range(4 * SIDE**2))


@dataclass(frozen=True)
class Grid:
    """The parts of a section: the ids of its spots, of four sub-spots per spot, and the scale of its image."""

    names: Sequence[str] = BARCODES
    sub_spots: Sequence[str] = ()
    kind: Literal["bin", "cell"] = "cell"
    scale: float | None = None

    def section(self) -> Section:
        """Return the section; the spot in column c and row r is at (250, 350) + 200 (c, r) px."""
        rows, columns = (axis.ravel() for axis in np.mgrid[:SIDE, :SIDE])
        x, y = 250.0 + 200 * columns, 350.0 + 200 * rows
        positions = {"x_px": x, "y_px": y, "x_um": x * UM_PER_PX, "y_um": y * UM_PER_PX}
        obs = pd.DataFrame({**positions, "array_x": columns * 1.0, "array_y": rows * 1.0}, index=list(self.names))
        counts = ad.AnnData(sparse.csr_matrix((SIDE**2, 2), dtype=np.int32), obs=obs)
        section = Section("visium", counts, UM_PER_PX, spot_um=60.0, spot_shape="disc", pitch_um=PITCH_UM)
        if self.sub_spots:
            spots = np.arange(len(self.sub_spots), dtype=np.int32) // 4
            section = replace(section, sub_spots=SubSpots(self.kind, np.array(self.sub_spots, dtype=np.bytes_), spots))
        if self.scale:
            slide = SlideFile(Path("hires.png"), UM_PER_PX / self.scale, scale=self.scale)
            section = replace(section, slide=slide)
        return section


def attach(path: Path, text: str, section: Section, vocabulary: Vocabulary | None = None) -> Section:
    """Return a section with the labels of a text, written to a file and read."""
    path.write_text(text, encoding="utf-8")
    return attach_labels(section, read_labels(path), vocabulary or Vocabulary())


def labels(labelled: Section) -> list[str | None]:
    """Return the label of every spot."""
    return [None if pd.isna(label) else str(label) for label in labelled.counts.obs["label"]]


def remarks(labelled: Section) -> tuple[str, ...]:
    """Return the notes besides the one on how the words were understood, which every label file has."""
    return tuple(note for note in labelled.notes if not note.startswith("labels of "))


def table(header: str, *columns: Sequence[object]) -> str:
    """Return a CSV of columns."""
    return "\n".join([header, *(",".join(map(str, row)) for row in zip(*columns, strict=True))]) + "\n"


def box(left: float, top: float, right: float, bottom: float) -> list[list[list[float]]]:
    """Return the ring of a rectangle, as the coordinates of a GeoJSON polygon."""
    return [[[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]]


def annotation(rings: list[list[list[float]]], name: str = "Tumor", /, **properties: Any) -> dict[str, Any]:
    """Return the feature QuPath writes for a polygon of a class."""
    all_properties = {"objectType": "annotation", "classification": {"name": name, "color": [200, 0, 0]}, **properties}
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}, "properties": all_properties}


def collection(*features: dict[str, Any]) -> str:
    """Return the GeoJSON text of features."""
    return json.dumps({"type": "FeatureCollection", "features": features})
