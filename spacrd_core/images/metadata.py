"""The um/px that an image file states of itself, which is often absent and often nonsense."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import tifffile

from spacrd_core.errors import InputError
from spacrd_core.images.errors import DAMAGED, explained
from spacrd_core.images.formats import kind_of
from spacrd_core.images.openslide import vendor_properties
from spacrd_core.images.tiff_image import TiffImage, find_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Stated = tuple[object, object]  # um/px across and down, of any type that a file may hold
NOTHING: Stated = (None, None)
# Slides are scanned at 0.1 to 1 um/px and seen whole at up to 20. Dots per inch that programs write for screens and
# printers are far coarser: 72 dpi would be 353 um/px, 300 dpi 85, 1200 dpi 21.
PLAUSIBLE = (0.05, 20.0)
STRETCH = 1.05  # a scanner's px are square
UM = {"nm": 1e-3, "um": 1.0, "micron": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6, "in": 25400.0, "inch": 25400.0}
TAG_UNITS = {2: "inch", 3: "cm", 4: "mm", 5: "um"}  # ResolutionUnit; the last two are tifffile's
ODD = (*DAMAGED, TypeError, AttributeError, ArithmeticError)  # what odd values do to code that expects others
MPP = re.compile(r"\bMPP\s*=\s*([0-9.,]+)")


def image_um_per_px(path: Path) -> float | None:
    """Return the um/px an image file states of its full-resolution level; None where it states none that can be true.

    The dots per inch of a JPEG or PNG are never believed. Odd metadata raise nothing, nor does a file that is no image.
    """
    try:
        kind = kind_of(path)
        if kind == "vendor":
            return _believed(_openslides(vendor_properties(path)))
        return _of_tiff(path) if kind == "tiff" else None
    except InputError:
        return None


def _of_tiff(path: Path) -> float | None:
    with explained(path), tifffile.TiffFile(path) as file:
        image = find_image(path, file)
        believed = (_believed(_asked(source, file, image)) for source in (_ome, _aperio, _imagej, _tags))
        return next((found for found in believed if found), None)


def _asked(source: Callable[..., Stated], file: tifffile.TiffFile, image: TiffImage) -> Stated:
    """What a source states; nothing where it is spoilt."""
    try:
        return source(file, image)
    except ODD:
        return NOTHING


def _believed(stated: Stated) -> float | None:
    across, down = (_number(value) for value in stated)
    if not across or not down or max(across, down) > STRETCH * min(across, down):
        return None
    mean = math.sqrt(across * down)
    return mean if PLAUSIBLE[0] <= mean <= PLAUSIBLE[1] else None


def _number(value: object) -> float:
    """Return a positive number, or 0 for what is none; some scanners write a comma."""
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        return 0.0
    return number if 0 < number < math.inf else 0.0


def _ome(file: tifffile.TiffFile, image: TiffImage) -> Stated:
    """OME-XML speaks of every image in the file: of those of this one's size."""
    described = tifffile.xml2dict(file.ome_metadata or "")["OME"]["Image"]
    stated = {
        (_in_um(pixels, "X"), _in_um(pixels, "Y"))
        for pixels in (entry["Pixels"] for entry in (described if isinstance(described, list) else [described]))
        if (pixels["SizeX"], pixels["SizeY"]) == image.size
    }
    return stated.pop() if len(stated) == 1 else NOTHING


def _in_um(pixels: Mapping[str, Any], axis: str) -> float:
    unit = str(pixels.get(f"PhysicalSize{axis}Unit", "um"))
    return _number(pixels.get(f"PhysicalSize{axis}")) * _um(unit)


def _um(unit: str) -> float:
    """Return how many um a unit is, 0 for one that is unknown; um are written in two Greek letters."""
    return UM.get(unit.strip().lower().replace("\u00b5", "u").replace("\u03bc", "u").replace("\\u00b5", "u"), 0.0)


def _aperio(_file: tifffile.TiffFile, image: TiffImage) -> Stated:
    found = MPP.search(image.page.description)
    return (found[1], found[1]) if found else NOTHING


def _imagej(file: tifffile.TiffFile, image: TiffImage) -> Stated:
    return _per_unit(image, _um(str((file.imagej_metadata or {})["unit"])))


def _tags(_file: tifffile.TiffFile, image: TiffImage) -> Stated:
    return _per_unit(image, UM[TAG_UNITS[image.page.tags.valueof("ResolutionUnit", default=2)]])


def _per_unit(image: TiffImage, um: float) -> Stated:
    """Um/px from the tags that count px in a unit, each a fraction."""
    fractions = [image.page.tags.valueof(tag) for tag in ("XResolution", "YResolution")]
    across, down = (um * denominator / numerator for numerator, denominator in fractions)
    return across, down


def _openslides(properties: Mapping[str, str]) -> Stated:
    return properties.get("openslide.mpp-x"), properties.get("openslide.mpp-y")
