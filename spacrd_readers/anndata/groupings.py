"""Tell the sections of one object apart: by a column of ``obs``, or by what spot names add to a repeated barcode.

All slides of one kind share their barcodes and array positions, so that a repeated one proves several sections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.quoting import shortened
from spacrd_readers.anndata.barcodes import MAX_SECTIONS, added_to_barcodes, barcode_of_names, name_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

LIBRARY_COLUMN = "library_id"  # squidpy's name for the obs column with the section of each spot
SAMPLE_COLUMNS = (  # names in other tools, without case and separators
    *("library", "sample", "sampleid", "samplename", "section", "sectionid", "slice", "sliceid", "slide", "slideid"),
    *("batch", "dataset", "origident", "imageid", "capturearea", "puck", "replicate"),
)
PATIENT_COLUMNS = ("patient", "patientid", "donor", "donorid", "individual", "subject")  # of one or more sections
ARRAY_COLUMNS = (("array_col", "array_row"), ("array_x", "array_y"))  # of Space Ranger, and of SpaCRD


@dataclass(frozen=True, eq=False)
class Grouping:
    """The section of every spot, None where unknown, and where it is stated."""

    source: str
    names: NDArray[np.object_]

    @property
    def sections(self) -> list[str]:
        """The sections, in alphabetical order."""
        return sorted({str(name) for name in self.names if name is not None})

    def separates(self, spots: pd.DataFrame) -> bool:
        """Return whether no section has two equal rows of ``spots``."""
        known = np.array([name is not None for name in self.names], dtype=bool)
        table = spots.assign(section=self.names)[known]
        return not table.duplicated().any()


def group_by_column(obs: pd.DataFrame, column: str) -> Grouping:
    """Return the sections as one column of ``obs`` has them."""
    values = obs[column]
    return Grouping(
        f"obs['{shortened(column)}']", values.astype(str).astype(object).where(values.notna(), None).to_numpy()
    )


def groupings(obs: pd.DataFrame, libraries: Collection[str], region_column: str = "") -> Iterator[Grouping]:
    """Return the groupings of an object, the most trustworthy first; ``libraries`` are the names of its pictures."""
    columns = [*library_columns(obs, libraries), *sample_columns(obs, region_column), *_named(obs, PATIENT_COLUMNS)]
    for column in dict.fromkeys(columns):
        yield group_by_column(obs, column)
    for source, names in name_parts(obs.index):
        yield Grouping(source, names)


def library_columns(obs: pd.DataFrame, libraries: Collection[str]) -> list[str]:
    """Return the columns whose values are names of pictures, and squidpy's."""
    named = [
        str(name)
        for name in obs.columns
        if obs[name].dtype.kind == "O" and (values := set(obs[name].dropna().unique())) and values <= set(libraries)
    ]
    squidpy = [LIBRARY_COLUMN] if LIBRARY_COLUMN in obs.columns and obs[LIBRARY_COLUMN].notna().any() else []
    return sorted(named, key=lambda name: name != LIBRARY_COLUMN) or squidpy


def sample_columns(obs: pd.DataFrame, region_column: str) -> list[str]:
    """Return the columns that usually hold the section, SpatialData's column of regions first."""
    return [*([region_column] if region_column in obs.columns else []), *_named(obs, SAMPLE_COLUMNS)]


def repeated_keys(obs: pd.DataFrame) -> pd.DataFrame:
    """Return what no two spots of one section share: their array positions, else their barcodes, else their names."""
    array = array_positions(obs)
    if array is not None:
        return array
    barcodes = barcode_of_names(obs.index)
    return pd.DataFrame({"name": obs.index if barcodes is None else barcodes})


def array_positions(obs: pd.DataFrame) -> pd.DataFrame | None:
    """Return ``array_x`` and ``array_y``; None unless every spot has both."""
    for x, y in ARRAY_COLUMNS:
        if x in obs.columns and y in obs.columns:
            array = pd.DataFrame({"array_x": as_numbers(obs[x]), "array_y": as_numbers(obs[y])})
            if np.isfinite(array.to_numpy()).all():
                return array.reset_index(drop=True)
    return None


def as_numbers(values: pd.Series[Any]) -> pd.Series[float]:
    """Return a column of any type as numbers, NaN where it has none."""
    numeric = values if pd.api.types.is_numeric_dtype(values.dtype) else values.astype(str)
    return pd.to_numeric(numeric, errors="coerce").astype(np.float64)


def group_by_gem_group(obs: pd.DataFrame) -> Grouping | None:
    """Return the sections of an aggregated run, whose barcodes end in the number of the section."""
    added = added_to_barcodes(obs.index)
    if added is None or not pd.Series(added).str.fullmatch(r"-\d+").all():
        return None
    return Grouping("the ends of the barcodes", pd.Series(added).str.lstrip("-").to_numpy(dtype=object))


def _named(obs: pd.DataFrame, names: Collection[str]) -> list[str]:
    """Return the columns of known names with few values, in the order of the names."""
    folded = {"".join(filter(str.isalnum, str(column).casefold())): str(column) for column in obs.columns}
    columns = [folded[name] for name in names if name in folded]
    return [column for column in columns if 0 < obs[column].nunique() <= MAX_SECTIONS]
