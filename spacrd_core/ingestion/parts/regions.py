"""Read the named regions of a capture area: drawn outlines, or a table of spots, bins or cells."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import LabelError, SpacrdError
from spacrd_core.ingestion.parts.features import read_features
from spacrd_core.ingestion.parts.table import read_region_table
from spacrd_core.labels.delimited import refuse_workbook
from spacrd_core.labels.file_kind import file_kind
from spacrd_core.labels.mask import Mask
from spacrd_core.labels.napari_shapes import is_shapes
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.tables import read_labels
from spacrd_core.labels.vocabulary import BLANK_WORDS, fold, is_blank
from spacrd_core.labels.xenium_explorer import is_selection
from spacrd_core.quoting import listed, shortened
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spacrd_core.labels.spot_table import LabelTable


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of a file.

    Attributes
    ----------
    source
        Outlines or a table, with the name of a region as their text.
    names
        The name of every region once, in the order of the file.
    patients
        The patient of every region that has one in the file.
    """

    path: Path
    source: Polygons | LabelTable
    names: tuple[str, ...]
    patients: Mapping[str, str]


def read_regions(path: Path) -> Regions:
    """Return the regions of a file; several outlines of one name are one region.

    Raises
    ------
    LabelError
        If it has no named region, or names two patients for one.
    """
    try:
        source, pairs = _read(path)
    except SpacrdError as error:
        error.add_note("--region takes the same files as --labels, except masks")
        raise
    if isinstance(source, Polygons):
        names = tuple(dict.fromkeys(source.values))
    else:
        values = source.rows["value"]
        names = tuple(map(str, values[~is_blank(values)].unique()))
    if not names:
        raise LabelError(f"the table {path} names no region", hint="give every spot the name of its region")
    return Regions(path, source, names, _patients(pairs, path))


def _read(path: Path) -> tuple[Polygons | LabelTable, Iterable[tuple[str, str]]]:
    """Return the outlines or the table of a file, and pairs of a region and its patient."""
    refuse_workbook(path)
    if file_kind(path) == "text":
        text = read_text(path, "region file", LabelError)
        if text.lstrip()[0] in "{[":
            return read_features(text, path)
        if not is_selection(text) and not is_shapes(text):
            return read_region_table(text, path)
    source = read_labels(path)
    if isinstance(source, Mask):
        raise LabelError(
            f"{path} is a picture, whose regions have no names", hint="give outlines (GeoJSON) or a table of spots"
        )
    return source, ()


def _patients(pairs: Iterable[tuple[str, str]], path: Path) -> dict[str, str]:
    """Return the patient of every region; two patients of one region are refused."""
    patients: dict[str, set[str]] = defaultdict(set)
    for name, patient in pairs:
        if fold(patient) not in BLANK_WORDS:
            patients[name].add(patient)
    for name, several in patients.items():
        if len(several) > 1:
            raise LabelError(
                f"the region '{shortened(name)}' of {path} has several patients: {listed(sorted(several))}",
                hint="give each patient's tissue a region of its own",
            )
    return {name: several.pop() for name, several in patients.items()}
