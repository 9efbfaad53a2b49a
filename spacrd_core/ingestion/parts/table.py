"""Read the region and the patient of every spot, bin or cell from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import LabelError
from spacrd_core.labels.delimited import format_columns, read_delimited
from spacrd_core.labels.sections import SECTION_COLUMNS
from spacrd_core.labels.spot_table import ID_COLUMNS, LABEL_COLUMNS, OTHER_COLUMNS, LabelTable, read_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

REGION_COLUMNS = ("region", "regions", "region_id", "core", "core_id", "part", *LABEL_COLUMNS, *SECTION_COLUMNS)
PATIENT_COLUMN = "patient"
IDENTIFYING = frozenset((*ID_COLUMNS, *OTHER_COLUMNS, "row.names"))


def read_region_table(text: str, path: Path) -> tuple[LabelTable, list[tuple[str, str]]]:
    """Return the regions as the labels of a table, and pairs of a region and its patient ('' if it has none).

    Raises
    ------
    LabelError
        If its layout is unknown, or no column names the regions.
    """
    table = read_delimited(text, path)
    column = _region_column(table, path)
    identifying = [name for name in table.columns if name in IDENTIFYING and name != column]
    bare = table[identifying].assign(label=table[column])
    labels = read_table(bare.to_csv(index=False), path)
    if PATIENT_COLUMN not in table.columns:
        return labels, []
    pairs = table[[column, PATIENT_COLUMN]].drop_duplicates().itertuples(index=False, name=None)
    return labels, [(str(name), str(patient)) for name, patient in pairs]


def _region_column(table: pd.DataFrame, path: Path) -> str:
    named = next((name for name in REGION_COLUMNS if name in table.columns), None)
    others = [name for name in table.columns if name not in IDENTIFYING and name != PATIENT_COLUMN]
    if named is None and len(others) != 1:
        raise LabelError(
            f"none of the columns {format_columns(table)} of {path} is named region",
            hint="rename the column with the names of the regions to 'region'",
        )
    return named or str(others[0])
