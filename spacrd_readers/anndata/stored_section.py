"""Read sections that SpaCRD wrote: they carry their own sizes, labels and patient, and are restored as they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_readers.anndata.genes import read_genes
from spacrd_readers.anndata.scale import Scale, SizeOverrides
from spacrd_readers.anndata.stored_labels import Labelled, understand_labels
from spacrd_readers.tenx.genes import Genes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spacrd_core.section.section import SpotShape
    from spacrd_readers.anndata.file import AnnDataFile

REQUIRED_FACTS = {"platform", "um_per_px", "pitch_um"}  # keys of uns['spacrd']
SIZE_KEYS = ("um_per_px", "pitch_um", "spot_um")
UM_COLUMNS = ["x_um", "y_um"]
CALL_PREFIX = "spacrd_"  # of the columns with a detector's results


@dataclass(frozen=True)
class StoredSection:
    """The facts that a spot store records about a section."""

    platform: str
    patient: str
    scale: Scale

    @classmethod
    def from_file(cls, file: AnnDataFile, obs: pd.DataFrame, factors: Mapping[str, float]) -> StoredSection | None:
        """Return the facts in a file; None if SpaCRD did not write it."""
        if not set(file.names("uns/spacrd")) >= REQUIRED_FACTS or not _has_positions(obs):
            return None
        facts = file.element("uns/spacrd")
        sizes = {name: float(size) for name, size in facts.items() if name in SIZE_KEYS and isinstance(size, Real)}
        um_per_px, pitch_um = sizes.get("um_per_px", 0.0), sizes.get("pitch_um", 0.0)
        spot_um = sizes.get("spot_um", factors.get("spot_diameter_fullres", 0.0) * um_per_px)
        if not all(0 < size < np.inf for size in (um_per_px, pitch_um, spot_um)):
            return None
        shape: SpotShape = "square" if facts.get("spot_shape") == "square" else "disc"
        patient = str(facts.get("patient", ""))
        return cls(str(facts["platform"]), patient, Scale(um_per_px, spot_um, shape, pitch_um))

    def scale_with(self, overrides: SizeOverrides) -> Scale:
        """Return the stored sizes, replaced where the user gave others."""
        ratio = overrides.um_per_px / self.scale.um_per_px if overrides.um_per_px else 1.0
        sizes = {name: value for name, value in vars(overrides).items() if value is not None}
        return replace(self.scale, **({"pitch_um": self.scale.pitch_um * ratio} | sizes))

    def spots(self, obs: pd.DataFrame, scale: Scale, path: Path) -> Labelled:
        """Return the stored spots with their labels, without a detector's results, and notes on the labels.

        Raises
        ------
        LabelError
            If the meaning of a label is unknown.
        """
        table = obs.drop(columns=[name for name in obs.columns if name.startswith(CALL_PREFIX)])
        table = table.assign(**(table[UM_COLUMNS] * (scale.um_per_px / self.scale.um_per_px)))
        return understand_labels(table, path)


def _has_positions(obs: pd.DataFrame) -> bool:
    columns = [*UM_COLUMNS, "x_px", "y_px"]
    if not set(columns) <= set(obs.columns):
        return False
    return bool(np.isfinite(obs[columns].apply(pd.to_numeric, errors="coerce")).all(axis=None))


def stored_genes(var: pd.DataFrame, path: Path) -> Genes:
    """Return the genes as stored; if the table was changed, as those of any other AnnData file."""
    if not {"symbol", "gene_id"} <= set(var.columns) or not var.index.is_unique:
        return read_genes(var, path)
    return Genes(np.ones(len(var), dtype=bool), var[["symbol", "gene_id"]].astype(str), ())
