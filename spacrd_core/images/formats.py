"""Which library reads an image file. Content decides, for names lie, save where a scanner's index file is told by name.

tifffile reads every TIFF whose tiles lie side by side, SVS included: openslide shows some of them in wrong colours
without a word. Scanners' files whose parts overlap, or lie in other files, are openslide's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import tifffile

from spacrd_core.errors import ImageError
from spacrd_core.images.errors import explained

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["photo", "tiff", "vendor"]
PHOTO = (b"\xff\xd8", b"\x89PNG")
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
INDEX_FILES = {".mrxs", ".vms", ".vmu"}  # a MIRAX slide's own file is a JPEG of its label
SAKURA, ZEISS = b"SQLite format 3\0", b"ZISRAWFILE"
DICOM = b"DICM"
DICOM_PREAMBLE = 128
HINT = "give a JPEG, PNG or TIFF image, or a scanner's file: SVS, NDPI, MRXS, SCN, VMS, VMU, BIF, SVSLIDE, CZI, DICOM"


def kind_of(path: Path) -> Kind:
    """Return what kind of image a file holds.

    Raises
    ------
    ImageError
        If it is none that can be read.
    """
    with explained(path), path.open("rb") as stream:
        start = stream.read(DICOM_PREAMBLE + len(DICOM))
    if path.suffix.lower() in INDEX_FILES:
        return "vendor"
    if start.startswith((SAKURA, ZEISS)) or start[DICOM_PREAMBLE:] == DICOM:
        return "vendor"
    if start.startswith(TIFF):
        return "vendor" if _is_scanners_tiff(path) else "tiff"
    if start.startswith(PHOTO):
        return "photo"
    raise ImageError(f"{path} is neither JPEG, PNG, TIFF nor a scanner's file that is known", hint=HINT)


def _is_scanners_tiff(path: Path) -> bool:
    """Whether it is a Hamamatsu, Leica, Ventana or Trestle file, whose tiles overlap or which is no plain TIFF."""
    with explained(path), tifffile.TiffFile(path) as file:
        page = file.pages.first
        return bool(file.is_ndpi or page.is_scn or page.is_bif or page.software.startswith("MedScan"))
