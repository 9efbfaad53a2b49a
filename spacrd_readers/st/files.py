"""Find the files of a legacy ST section from its counts table or the folder that holds it.

::

    ST-cnts/A1.tsv.gz   ST-spotfiles/A1_selection.tsv   ST-imgs/A/A1/<one image of any name>      her2st's folders
    ut_A1_stdata_filtered.tsv   A1_selection.tsv   A1_HE.jpg                                      or one folder
    GSM3036911_PDAC-A-ST1-filtered.txt.gz                                                         or counts alone
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import CountsError, ImageError, InputError, MissingFile, UnrecognisedSection
from spacrd_core.quoting import listed
from spacrd_core.tables import find_delimiter, read_beginning, split_header
from spacrd_readers._base import first_names, require_file
from spacrd_readers.st.names import is_table_name, section_images, section_name, spot_tables

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs

# Columns of a table that R has read may have an X before a number.
SPOT_ID = re.compile(r"X?(?P<x>\d+(\.\d+)?)[x_](?P<y>\d+(\.\d+)?)")
TABLE_SUFFIXES = ".tsv, .txt or .csv (or these with .gz)"


@dataclass(frozen=True)
class StFiles:
    """The files of one section; ``spots`` is None if there are only counts, ``image`` if there is no image."""

    counts: Path
    spots: Path | None
    image: Path | None


def find_files(path: Path, *, spots: Path | None, inputs: ImageInputs) -> StFiles:
    """Return the files of the section at a path; files that the user gave take precedence.

    Raises
    ------
    MissingFile
        If a file that the user gave does not exist, or there is an image but no spot table that places spots on it.
    """
    is_folder = path.is_dir()
    counts = _counts_in(path) if is_folder else path
    image = (
        (require_file(inputs.image, "image") or _find_image(counts, only_section=is_folder))
        if (inputs.with_image)
        else None
    )
    table = require_file(spots, "spot table") or _find_spots(counts, only_section=is_folder)
    if image and not table:
        raise MissingFile(
            f"the spot table {section_name(counts)}_selection.tsv of {counts} is neither in "
            f"{counts.parent.parent / 'ST-spotfiles'} nor beside it: without it, the spots have no place on {image}",
            hint="use --set reader.spots=FILE, or --no-image to use genes only",
        )
    return StFiles(counts, table, image)


def counts_rejection(path: Path) -> str:
    """Return why a file is not an ST counts table; '' if it looks like one by its name and first lines.

    Raises
    ------
    InputError
        If it is missing, broken, empty or not text.
    """
    if not is_table_name(path):
        return f"its name does not end in {TABLE_SUFFIXES}"
    text = read_beginning(path, "counts table", CountsError)
    delimiter = find_delimiter(text.partition("\n")[0])
    header, body = split_header(text, delimiter)
    columns = {cell.casefold() for cell in header}
    if {"x", "y"} <= columns or "label" in columns:
        return "it is a table of spots or labels (it has a column y or label), not a counts table"
    first_row = [cell.strip().strip('"') for cell in body.partition("\n")[0].split(delimiter)]
    if any(SPOT_ID.fullmatch(name) for name in (first_row[0], *header[:3])):
        return "" if len(first_row) > 2 else "it has one column beside its names, and counts have one a gene"
    return f"neither its rows ('{first_row[0][:30]}') nor its columns ('{header[-1][:30]}') are spot names like 10x13"


def folder_rejection(folder: Path) -> str:
    """Return why a folder does not hold exactly one ST section; '' if it does."""
    tables = _counts_tables(folder)
    if len(tables) == 1:
        return ""
    if not tables:
        return f"the folder holds no ST counts table ({TABLE_SUFFIXES}, spots named like 10x13)"
    names = first_names([path.name for path in tables], 3)
    return f"the folder holds {len(tables)} ST counts tables ({names}): give the path of one"


def _counts_tables(folder: Path) -> list[Path]:
    """Return the counts tables of a folder; TXT and CSV files, which hold tables of all kinds, only without a TSV."""
    files = [path for path in sorted(folder.iterdir()) if is_table_name(path)]
    kinds = ([path for path in files if suffix in path.name.casefold()] for suffix in (".tsv", ".txt", ".csv"))
    return next((tables for kind in kinds if (tables := [path for path in kind if _is_counts_table(path)])), [])


def _is_counts_table(path: Path) -> bool:
    try:
        return not counts_rejection(path)
    except InputError:
        return False


def _counts_in(folder: Path) -> Path:
    if reason := folder_rejection(folder):
        raise UnrecognisedSection(f"{folder} is not one ST section: {reason}", hint="give the path of a counts table")
    return _counts_tables(folder)[0]


def _find_spots(counts: Path, *, only_section: bool) -> Path | None:
    """Return the spot table of a section; None if there is none."""
    for folder in (counts.parent.parent / "ST-spotfiles", counts.parent):
        found = spot_tables(folder.iterdir(), section_name(counts)) if folder.is_dir() else []
        if named := [path for path in found if path != counts]:
            return named[0]
    others = [path for path in spot_tables(counts.parent.iterdir()) if path != counts] if only_section else []
    return others[0] if len(others) == 1 else None


def _find_image(counts: Path, *, only_section: bool) -> Path | None:
    name = section_name(counts)
    letters = re.match(r"[A-Za-z]*", name)
    folder = counts.parent.parent / "ST-imgs" / (letters[0] if letters else "") / name
    beside = list(counts.parent.iterdir())
    own = section_images(folder.iterdir()) if folder.is_dir() else []
    images = own or section_images(beside, name) or (section_images(beside) if only_section else [])
    if len(images) > 1:
        raise ImageError(
            f"{counts} has {len(images)} images in {images[0].parent}: {listed(path.name for path in images)}",
            hint="choose one with --image FILE, or use --no-image",
        )
    return images[0] if images else None
