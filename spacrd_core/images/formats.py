"""Choose the library that reads an image file, by its content; only scanners' index files are recognised by name.

tifffile reads every TIFF with a regular grid of tiles, SVS included, because openslide returns some of them in wrong
colours without an error. Scanner formats with overlapping tiles or several files are read by openslide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import tifffile

from spacrd_core.errors import ImageError
from spacrd_core.images.errors import translate_errors

if TYPE_CHECKING:
    from pathlib import Path

Backend = Literal["pillow", "tifffile", "openslide"]
JPEG_OR_PNG = (b"\xff\xd8", b"\x89PNG")
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
INDEX_SUFFIXES = {".mrxs", ".vms", ".vmu"}  # the .mrxs file of a MIRAX slide is a JPEG of its label
SAKURA, ZEISS = b"SQLite format 3\0", b"ZISRAWFILE"
DICOM = b"DICM"
DICOM_PREAMBLE = 128
FORMATS_HINT = (
    "give a JPEG, PNG or TIFF image, or a scanner file: SVS, NDPI, MRXS, SCN, VMS, VMU, BIF, SVSLIDE, CZI, DICOM"
)


def choose_backend(path: Path) -> Backend:
    """Return the library that reads an image file.

    Raises
    ------
    ImageError
        If none can read it.
    """
    with translate_errors(path), path.open("rb") as stream:
        start = stream.read(DICOM_PREAMBLE + len(DICOM))
    if path.suffix.lower() in INDEX_SUFFIXES:
        return "openslide"
    if start.startswith((SAKURA, ZEISS)) or start[DICOM_PREAMBLE:] == DICOM:
        return "openslide"
    if start.startswith(TIFF):
        return "openslide" if _is_scanner_tiff(path) else "tifffile"
    if start.startswith(JPEG_OR_PNG):
        return "pillow"
    raise ImageError(f"{path} is neither JPEG, PNG, TIFF nor a known scanner format", hint=FORMATS_HINT)


def _is_scanner_tiff(path: Path) -> bool:
    """Return whether it is a Hamamatsu, Leica, Ventana or Trestle file, whose tiles do not form a regular grid."""
    with translate_errors(path), tifffile.TiffFile(path) as file:
        page = file.pages.first
        return bool(file.is_ndpi or page.is_scn or page.is_bif or page.software.startswith("MedScan"))
