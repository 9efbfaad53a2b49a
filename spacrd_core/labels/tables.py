"""Read a label file of any known layout: a table, a list in counts order, or drawn polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import LabelError
from spacrd_core.labels.delimited import refuse_workbook
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.qupath import read_polygons
from spacrd_core.labels.spot_table import LabelTable, read_table
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LabelTable", "Polygons", "read_labels"]


def read_labels(path: Path, section: str = "") -> LabelTable | Polygons:
    """Return the labels of a file; of a table of several sections, those of ``section``.

    Raises
    ------
    LabelError
        If its layout is unknown, or it has several sections and none is chosen.
    """
    refuse_workbook(path)
    text = read_text(path, "label file", LabelError)
    if text.lstrip()[0] in "{[":
        return read_polygons(text, path)
    return read_table(text, path, section)
