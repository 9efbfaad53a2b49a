"""Sections that SpaCRD exported as SpatialData: they carry their own sizes, labels and patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_readers.anndata.scale import SizeOverrides
from spacrd_readers.anndata.stored_section import StoredSection
from spacrd_readers.spatialdata.spots import SpotGroups

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.spatialdata.pieces import Pieces

SECTION_KEY = "uns/spacrd/section"


@dataclass(frozen=True, eq=False)
class OwnSection:
    """The stored facts of an exported section, and the rows of its spots."""

    stored: StoredSection
    rows: pd.DataFrame
    path: Path

    @classmethod
    def from_file(cls, file: AnnDataFile, obs: pd.DataFrame, pieces: Pieces) -> OwnSection | None:
        """Return the section that a table holds; None if SpaCRD did not write it, or it was joined with others."""
        rows = obs.iloc[pieces.rows]
        stored = StoredSection.from_file(file, rows, {})
        if stored is None or not file.has(SECTION_KEY):
            return None
        if pieces.elements and pieces.elements != (f"{file.element(SECTION_KEY)}_spots",):
            return None
        return cls(stored, rows, file.path)

    @property
    def platform(self) -> str:
        """The platform that it was measured on."""
        return self.stored.platform

    @property
    def patient(self) -> str:
        """Its patient."""
        return self.stored.patient

    def spots(self, um_per_px: float | None) -> tuple[SpotGroups, float]:
        """Return the stored spots, with their labels, and um per unit of the coordinate system.

        Raises
        ------
        LabelError
            If the meaning of a label is unknown.
        """
        scale = self.stored.scale_with(SizeOverrides(um_per_px))
        table, notes = self.stored.spots(self.rows, scale, self.path)
        one_each = np.arange(len(table), dtype=np.int32)
        groups = SpotGroups(table, one_each, scale.spot_um, scale.spot_shape, scale.pitch_um, notes=notes)
        return groups, scale.um_per_px
