"""Where the files of a legacy ST section are, given its counts table or the folder that holds it.

::

    ST-cnts/A1.tsv.gz   ST-spotfiles/A1_selection.tsv   ST-imgs/A/A1/<one image of any name>      her2st's folders
    ut_A1_stdata_filtered.tsv   A1_selection.tsv   A1_HE.jpg                                      or all in one
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import CountsError, ImageError, InputError, MissingFile, UnrecognisedSection
from spacrd_core.tables import glance, split_header

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section.section import Given

SPOT_ID = re.compile(r"\d+(\.\d+)?[x_]\d+(\.\d+)?")
TABLES = (".tsv", ".tsv.gz")
IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


@dataclass(frozen=True)
class StFiles:
    """The files of one section; no image is None."""

    counts: Path
    spots: Path
    image: Path | None


def find_files(path: Path, *, spots: Path | None, given: Given) -> StFiles:
    """Return the files of the section at a path; what the user gave wins."""
    lone = path.is_dir()
    counts = _counts_in(path) if lone else path
    return StFiles(
        counts=counts,
        spots=_given(spots, "spot table") or _find_spots(counts, lone=lone),
        image=(_given(given.image, "image") or _find_image(counts, lone=lone)) if given.with_image else None,
    )


def why_not_counts(path: Path) -> str:
    """Return why a file is no ST counts table; '' when it is, as far as its name and first lines show.

    Raises
    ------
    InputError
        If it is missing, broken, empty or no text.
    """
    if not path.name.endswith(TABLES):
        return f"its name does not end in {' or '.join(TABLES)}"
    header, body = split_header(glance(path, "counts table", CountsError), "\t")
    columns = {cell.casefold() for cell in header}
    if {"x", "y"} <= columns or "label" in columns:
        return "it is a table of spots or labels (it has a column y or label), not of counts"
    first = body.partition("\t")[0].strip().strip('"')
    if any(SPOT_ID.fullmatch(name) for name in (first, *header[:3])):
        return ""
    return f"neither its rows ('{first[:30]}') nor its columns ('{header[-1][:30]}') are spots named like 10x13"


def why_no_folder(folder: Path) -> str:
    """Return why a folder does not hold exactly one ST section; '' when it does."""
    found = _counts_tables(folder)
    if len(found) == 1:
        return ""
    if not found:
        return f"the folder holds no ST counts table ({' or '.join(TABLES)}, spots named like 10x13)"
    some = ", ".join(path.name for path in found[:3]) + (", ..." if len(found) > 3 else "")
    return f"the folder holds {len(found)} ST counts tables ({some}), not one: give one of them"


def section_name(counts: Path) -> str:
    """Return the section a counts table names: ``A1`` for ``A1.tsv.gz`` and ``ut_A1_stdata_filtered.tsv``."""
    stem = counts.name.split(".")[0]
    return re.sub(r"[_-](stdata|counts|cnts|count|matrix|filtered).*$", "", stem.removeprefix("ut_"))


def _counts_tables(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        with suppress(InputError):
            found += [] if why_not_counts(path) else [path]
    return found


def _counts_in(folder: Path) -> Path:
    if reason := why_no_folder(folder):
        raise UnrecognisedSection(f"{folder} is not one ST section: {reason}", hint="give the path of a counts table")
    return _counts_tables(folder)[0]


def _given(path: Path | None, role: str) -> Path | None:
    if path is not None and not path.is_file():
        raise MissingFile(f"the {role} {path} does not exist", hint="check the path")
    return path


def _find_spots(counts: Path, *, lone: bool) -> Path:
    name, folder = section_name(counts), counts.parent
    places = [
        where / f"{name}_selection.tsv{packed}"
        for where in (folder.parent / "ST-spotfiles", folder)
        for packed in ("", ".gz")
    ]
    found = [place for place in places if place.is_file()] or (sorted(folder.glob("*_selection.tsv*")) if lone else [])
    if len(found) == 1 or (found and found[0] in places):
        return found[0]
    raise MissingFile(
        f"the spot table {name}_selection.tsv of {counts} is neither in {folder.parent / 'ST-spotfiles'} nor beside it",
        hint="--set reader.spots=FILE",
    )


def _find_image(counts: Path, *, lone: bool) -> Path | None:
    name = section_name(counts)
    letters = re.match(r"[A-Za-z]*", name)
    shelf = counts.parent.parent / "ST-imgs" / (letters[0] if letters else "") / name
    beside = _images(counts.parent.iterdir())
    named = [path for path in beside if re.match(rf"{re.escape(name)}(?![A-Za-z0-9])", path.name)]
    found = (_images(shelf.iterdir()) if shelf.is_dir() else []) or named or (beside if lone else [])
    if len(found) > 1:
        raise ImageError(
            f"{counts} has {len(found)} images in {found[0].parent}: {', '.join(path.name for path in found[:5])}",
            hint="choose one with --image FILE, or --no-image",
        )
    return found[0] if found else None


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.casefold() in IMAGES and path.is_file())
