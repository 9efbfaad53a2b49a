"""The um/px in an image file's metadata, which is often absent and often wrong."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import tifffile

from spacrd_core.errors import InputError
from spacrd_core.images.errors import DAMAGE_ERRORS, translate_errors
from spacrd_core.images.formats import choose_backend
from spacrd_core.images.openslide import openslide_properties
from spacrd_core.images.tiff_series import TiffSeries, find_slide_series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PixelSize = tuple[object, object]  # um/px along x and y, of any type that a file may hold
UNKNOWN: PixelSize = (None, None)
# Slides are scanned at 0.1 to 1 um/px, and overviews have up to 20. The dots per inch that programs write for screens
# and printers are far coarser: 72 dpi would be 353 um/px, 300 dpi 85, 1200 dpi 21.
PLAUSIBLE_UM_PER_PX = (0.05, 20.0)
MAX_ASPECT = 1.05  # a scanner's pixels are square
UM_PER_UNIT = {"nm": 1e-3, "um": 1.0, "micron": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6, "in": 25400.0, "inch": 25400.0}
RESOLUTION_UNITS = {2: "inch", 3: "cm", 4: "mm", 5: "um"}  # 4 and 5 are extensions of tifffile
METADATA_ERRORS = (*DAMAGE_ERRORS, TypeError, AttributeError, ArithmeticError)  # raised by malformed values
MPP = re.compile(r"\bMPP\s*=\s*([0-9.,]+)")


def image_um_per_px(path: Path) -> float | None:
    """Return the um/px of the full-resolution level from an image file's metadata; None without a plausible value.

    The dots per inch of a JPEG or PNG are ignored. Malformed metadata and files that are not images do not raise.
    """
    try:
        backend = choose_backend(path)
        if backend == "openslide":
            return _validated(_from_openslide(openslide_properties(path)))
        return _tiff_um_per_px(path) if backend == "tifffile" else None
    except InputError:
        return None


def _tiff_um_per_px(path: Path) -> float | None:
    with translate_errors(path), tifffile.TiffFile(path) as file:
        series = find_slide_series(path, file)
        candidates = (
            _validated(_read(source, file, series)) for source in (_from_ome, _from_aperio, _from_imagej, _from_tags)
        )
        return next((um_per_px for um_per_px in candidates if um_per_px), None)


def _read(source: Callable[..., PixelSize], file: tifffile.TiffFile, series: TiffSeries) -> PixelSize:
    """Return the pixel size from one kind of metadata; unknown if it is absent or malformed."""
    try:
        return source(file, series)
    except METADATA_ERRORS:
        return UNKNOWN


def _validated(pixel_size: PixelSize) -> float | None:
    x, y = (_number(value) for value in pixel_size)
    if not x or not y or max(x, y) > MAX_ASPECT * min(x, y):
        return None
    mean = math.sqrt(x * y)
    return mean if PLAUSIBLE_UM_PER_PX[0] <= mean <= PLAUSIBLE_UM_PER_PX[1] else None


def _number(value: object) -> float:
    """Return a value as a positive number, or 0 if it is not one; some scanners write a decimal comma."""
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        return 0.0
    return number if 0 < number < math.inf else 0.0


def _from_ome(file: tifffile.TiffFile, series: TiffSeries) -> PixelSize:
    """Return the pixel size in OME-XML, which describes every image in the file, of the images of this size."""
    images = tifffile.xml2dict(file.ome_metadata or "")["OME"]["Image"]
    pixel_sizes = {
        (_in_um(pixels, "X"), _in_um(pixels, "Y"))
        for pixels in (image["Pixels"] for image in (images if isinstance(images, list) else [images]))
        if (pixels["SizeX"], pixels["SizeY"]) == series.size
    }
    return pixel_sizes.pop() if len(pixel_sizes) == 1 else UNKNOWN


def _in_um(pixels: Mapping[str, Any], axis: str) -> float:
    unit = str(pixels.get(f"PhysicalSize{axis}Unit", "um"))
    return _number(pixels.get(f"PhysicalSize{axis}")) * _unit_um(unit)


def _unit_um(unit: str) -> float:
    """Return the length of a unit in um, 0 if it is unknown; the micro sign has two code points."""
    return UM_PER_UNIT.get(
        unit.strip().lower().replace("\u00b5", "u").replace("\u03bc", "u").replace("\\u00b5", "u"), 0.0
    )


def _from_aperio(_file: tifffile.TiffFile, series: TiffSeries) -> PixelSize:
    mpp = MPP.search(series.page.description)
    return (mpp[1], mpp[1]) if mpp else UNKNOWN


def _from_imagej(file: tifffile.TiffFile, series: TiffSeries) -> PixelSize:
    return _from_resolution(series, _unit_um(str((file.imagej_metadata or {})["unit"])))


def _from_tags(_file: tifffile.TiffFile, series: TiffSeries) -> PixelSize:
    unit = RESOLUTION_UNITS[series.page.tags.valueof("ResolutionUnit", default=2)]
    return _from_resolution(series, UM_PER_UNIT[unit])


def _from_resolution(series: TiffSeries, unit_um: float) -> PixelSize:
    """Return the pixel size from the resolution tags: px per unit, as fractions."""
    fractions = [series.page.tags.valueof(tag) for tag in ("XResolution", "YResolution")]
    x, y = (unit_um * denominator / numerator for numerator, denominator in fractions)
    return x, y


def _from_openslide(properties: Mapping[str, str]) -> PixelSize:
    return properties.get("openslide.mpp-x"), properties.get("openslide.mpp-y")
