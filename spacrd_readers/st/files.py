"""Find the files of a legacy ST section from its counts table or the folder that holds it.

::

    ST-cnts/A1.tsv.gz   ST-spotfiles/A1_selection.tsv   ST-imgs/A/A1/<one image of any name>      her2st's folders
    ut_A1_stdata_filtered.tsv   A1_selection.tsv   A1_HE.jpg                                      or one folder
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import CountsError, ImageError, InputError, MissingFile, UnrecognisedSection
from spacrd_core.tables import read_beginning, split_header
from spacrd_readers._base import first_names, require_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs

SPOT_ID = re.compile(r"\d+(\.\d+)?[x_]\d+(\.\d+)?")
TABLE_SUFFIXES = (".tsv", ".tsv.gz")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


@dataclass(frozen=True)
class StFiles:
    """The files of one section; ``image`` is None if there is none."""

    counts: Path
    spots: Path
    image: Path | None


def find_files(path: Path, *, spots: Path | None, inputs: ImageInputs) -> StFiles:
    """Return the files of the section at a path; files that the user gave take precedence."""
    is_folder = path.is_dir()
    counts = _counts_in(path) if is_folder else path
    return StFiles(
        counts=counts,
        spots=require_file(spots, "spot table") or _find_spots(counts, only_section=is_folder),
        image=(require_file(inputs.image, "image") or _find_image(counts, only_section=is_folder))
        if inputs.with_image
        else None,
    )


def counts_rejection(path: Path) -> str:
    """Return why a file is not an ST counts table; '' if it looks like one by its name and first lines.

    Raises
    ------
    InputError
        If it is missing, broken, empty or not text.
    """
    if not path.name.endswith(TABLE_SUFFIXES):
        return f"its name does not end in {' or '.join(TABLE_SUFFIXES)}"
    header, body = split_header(read_beginning(path, "counts table", CountsError), "\t")
    columns = {cell.casefold() for cell in header}
    if {"x", "y"} <= columns or "label" in columns:
        return "it is a table of spots or labels (it has a column y or label), not a counts table"
    first = body.partition("\t")[0].strip().strip('"')
    if any(SPOT_ID.fullmatch(name) for name in (first, *header[:3])):
        return ""
    return f"neither its rows ('{first[:30]}') nor its columns ('{header[-1][:30]}') are spot names like 10x13"


def folder_rejection(folder: Path) -> str:
    """Return why a folder does not hold exactly one ST section; '' if it does."""
    tables = _counts_tables(folder)
    if len(tables) == 1:
        return ""
    if not tables:
        return f"the folder holds no ST counts table ({' or '.join(TABLE_SUFFIXES)}, spots named like 10x13)"
    names = first_names([path.name for path in tables], 3)
    return f"the folder holds {len(tables)} ST counts tables ({names}): give the path of one"


def section_name(counts: Path) -> str:
    """Return the section name in a counts table's name: ``A1`` for ``A1.tsv.gz`` and ``ut_A1_stdata_filtered.tsv``."""
    stem = counts.name.split(".")[0]
    return re.sub(r"[_-](stdata|counts|cnts|count|matrix|filtered).*$", "", stem.removeprefix("ut_"))


def _counts_tables(folder: Path) -> list[Path]:
    tables = []
    for path in sorted(folder.iterdir()):
        with suppress(InputError):
            tables += [] if counts_rejection(path) else [path]
    return tables


def _counts_in(folder: Path) -> Path:
    if reason := folder_rejection(folder):
        raise UnrecognisedSection(f"{folder} is not one ST section: {reason}", hint="give the path of a counts table")
    return _counts_tables(folder)[0]


def _find_spots(counts: Path, *, only_section: bool) -> Path:
    name, folder = section_name(counts), counts.parent
    candidates = [
        parent / f"{name}_selection.tsv{suffix}"
        for parent in (folder.parent / "ST-spotfiles", folder)
        for suffix in ("", ".gz")
    ]
    named = [path for path in candidates if path.is_file()]
    if named:
        return named[0]
    others = sorted(folder.glob("*_selection.tsv*")) if only_section else []
    if len(others) == 1:
        return others[0]
    raise MissingFile(
        f"the spot table {name}_selection.tsv of {counts} is neither in {folder.parent / 'ST-spotfiles'} nor beside it",
        hint="use --set reader.spots=FILE",
    )


def _find_image(counts: Path, *, only_section: bool) -> Path | None:
    name = section_name(counts)
    letters = re.match(r"[A-Za-z]*", name)
    folder = counts.parent.parent / "ST-imgs" / (letters[0] if letters else "") / name
    beside = _images(counts.parent.iterdir())
    named_images = [path for path in beside if re.match(rf"{re.escape(name)}(?![A-Za-z0-9])", path.name)]
    images = (_images(folder.iterdir()) if folder.is_dir() else []) or named_images or (beside if only_section else [])
    if len(images) > 1:
        raise ImageError(
            f"{counts} has {len(images)} images in {images[0].parent}: {', '.join(path.name for path in images[:5])}",
            hint="choose one with --image FILE, or use --no-image",
        )
    return images[0] if images else None


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.casefold() in IMAGE_SUFFIXES and path.is_file())
