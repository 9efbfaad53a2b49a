"""Sections that come from a spot store: they say everything of themselves, and come back as they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_readers.anndata.genes import read_genes
from spacrd_readers.anndata.scale import Scale, Sizes
from spacrd_readers.tenx.genes import Genes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spacrd_core.section.section import SpotShape
    from spacrd_readers.anndata.file import AnnDataFile

NEEDED = {"platform", "um_per_px", "pitch_um"}  # in uns['spacrd']
SIZES = ("um_per_px", "pitch_um", "spot_um")
UM = ["x_um", "y_um"]
CALLS = "spacrd_"  # before the columns that hold a detector's calls
LABELS = ["cancer", "normal"]


@dataclass(frozen=True)
class Own:
    """What a section of a spot store says of itself."""

    platform: str
    patient: str
    scale: Scale

    @classmethod
    def of(cls, file: AnnDataFile, obs: pd.DataFrame, factors: Mapping[str, float]) -> Own | None:
        """Return it; None where an object is no such section."""
        if not set(file.names("uns/spacrd")) >= NEEDED or not _has_positions(obs):
            return None
        facts = file.element("uns/spacrd")
        sizes = {name: float(size) for name, size in facts.items() if name in SIZES and isinstance(size, Real)}
        um_per_px, pitch_um = sizes.get("um_per_px", 0.0), sizes.get("pitch_um", 0.0)
        spot_um = sizes.get("spot_um", factors.get("spot_diameter_fullres", 0.0) * um_per_px)
        if not all(0 < size < np.inf for size in (um_per_px, pitch_um, spot_um)):
            return None
        shape: SpotShape = "square" if facts.get("spot_shape") == "square" else "disc"
        patient = str(facts.get("patient", ""))
        return cls(str(facts["platform"]), patient, Scale(um_per_px, spot_um, shape, pitch_um))

    def scaled(self, said: Sizes) -> Scale:
        """Return its sizes where the user says no other."""
        ratio = said.um_per_px / self.scale.um_per_px if said.um_per_px else 1.0
        given = {name: value for name, value in vars(said).items() if value is not None}
        return replace(self.scale, **({"pitch_um": self.scale.pitch_um * ratio} | given))

    def spots(self, obs: pd.DataFrame, scale: Scale, path: Path) -> pd.DataFrame:
        """Return the spots as they were, labels too, without the calls of a detector.

        Raises
        ------
        LabelError
            If the labels were changed to others than cancer and normal.
        """
        table = obs.drop(columns=[name for name in obs.columns if name.startswith(CALLS)])
        table = table.assign(**(table[UM] * (scale.um_per_px / self.scale.um_per_px)))
        if "label" not in table.columns:
            return table
        strange = sorted(set(table["label"].dropna().astype(str)) - set(LABELS))
        if strange:
            raise LabelError(
                f"obs['label'] of {path} reads '{strange[0]}', 'cancer' or 'normal' was wanted",
                hint="rename the column, and give labels by --labels FILE",
            )
        return table.assign(label=pd.Categorical(table["label"], categories=LABELS))


def _has_positions(obs: pd.DataFrame) -> bool:
    columns = [*UM, "x_px", "y_px"]
    if not set(columns) <= set(obs.columns):
        return False
    return bool(np.isfinite(obs[columns].apply(pd.to_numeric, errors="coerce")).all(axis=None))


def own_genes(var: pd.DataFrame, path: Path) -> Genes:
    """Return the genes as the store had them; those of a table that was changed are told as any object's."""
    if not {"symbol", "gene_id"} <= set(var.columns) or not var.index.is_unique:
        return read_genes(var, path)
    return Genes(np.ones(len(var), dtype=bool), var[["symbol", "gene_id"]].astype(str), ())
