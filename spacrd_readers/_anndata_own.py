"""Sections that come from a spot store: they say everything of themselves, and come back as they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_readers._anndata_scale import Scale, Sizes
from spacrd_readers._tenx_genes import Genes

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_readers._anndata_file import AnnDataFile

FACTS = ("platform", "um_per_px", "spot_um", "spot_shape", "pitch_um")  # in uns['spacrd']
UM = ["x_um", "y_um"]
CALLS = "spacrd_"  # before the columns that hold a detector's calls
LABELS = ["cancer", "normal"]


@dataclass(frozen=True)
class Own:
    """What a section of a spot store says of itself."""

    platform: str
    scale: Scale

    @classmethod
    def of(cls, file: AnnDataFile, obs: pd.DataFrame) -> Own | None:
        """Return it; None where an object is no such section."""
        if not set(FACTS) <= set(file.names("uns/spacrd")) or not {*UM, "x_px", "y_px"} <= set(obs.columns):
            return None
        platform, um_per_px, spot_um, shape, pitch_um = (file.element(f"uns/spacrd/{name}") for name in FACTS)
        scale = Scale(float(um_per_px), float(spot_um), "square" if shape == "square" else "disc", float(pitch_um))
        return cls(str(platform), scale)

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


def own_genes(var: pd.DataFrame) -> Genes:
    """Return the genes as the store had them."""
    return Genes(np.ones(len(var), dtype=bool), var[["symbol", "gene_id"]].astype(str), ())
