"""Read a label file of any known layout: a table, a list in counts order, drawn polygons, or a mask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spacrd_core.errors import LabelError
from spacrd_core.labels.annotation_xml import read_annotation_xml
from spacrd_core.labels.delimited import refuse_workbook
from spacrd_core.labels.file_kind import file_kind, read_bytes
from spacrd_core.labels.mask import Mask, read_mask
from spacrd_core.labels.napari_shapes import is_shapes, read_shapes
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.qupath import read_polygons
from spacrd_core.labels.safe_xml import MAX_XML_BYTES
from spacrd_core.labels.spot_table import LabelTable, read_table
from spacrd_core.labels.xenium_explorer import cells_table, is_selection, read_outlines
from spacrd_core.opening.inflate import GZIP_ERRORS
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LabelTable", "Labels", "Mask", "Polygons", "read_labels"]

Labels = LabelTable | Polygons | Mask


def read_labels(path: Path, section: str = "") -> Labels:
    """Return the labels of a file; of a table of several sections, those of ``section``.

    Raises
    ------
    LabelError
        If its layout is unknown, or it has several sections and none is chosen.
    """
    refuse_workbook(path)
    labels = _read(path, section)
    if section and not isinstance(labels, LabelTable):
        raise LabelError(f"the label file {path} is not a table of several sections", hint="leave out --label-section")
    return labels


def _read(path: Path, section: str) -> Labels:
    kind = file_kind(path)
    if kind == "picture":
        return read_mask(path)
    if kind == "xml":
        return read_annotation_xml(_xml(path), path)
    text = read_text(path, "label file", LabelError)
    if text.lstrip()[0] in "{[":
        return read_polygons(text, path)
    if is_selection(text):
        return read_outlines(text, path) or replace(read_table(cells_table(text, path), path, section), drawn=True)
    return read_shapes(text, path) if is_shapes(text) else read_table(text, path, section)


def _xml(path: Path) -> bytes:
    try:
        return read_bytes(path, MAX_XML_BYTES)
    except (OSError, *GZIP_ERRORS) as error:
        raise LabelError(f"the label file {path} cannot be read: {error}", hint="copy it again") from error
