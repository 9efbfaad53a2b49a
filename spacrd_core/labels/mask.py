"""Read a label mask: a PNG or TIFF whose pixels are numbers or colours of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from PIL.PngImagePlugin import PngImageFile

from spacrd_core.errors import LabelError
from spacrd_core.images.errors import translate_errors
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array, UInt8Array

MAX_PX = 2**28  # a mask is held in memory: at a quarter of the size of a slide it is rarely a tenth of this
MAX_CLASSES = 64  # a picture, or a mask with smooth edges, has more
BAND_PX = 2**22
SMALLER_HINT = "export the mask at a half, a quarter or another whole fraction of the slide's size"
PLAIN_HINT = "export one number or one colour per class, without smoothing or compression with loss"
CHANNELS = (2, 3, 4)  # grey with alpha, RGB, RGB with alpha


@dataclass(frozen=True, eq=False)
class Mask:
    """The classes of a mask.

    Attributes
    ----------
    codes
        The index in ``values`` of every px, height x width.
    values
        Numbers, colours as ``#rrggbb``, or '' for transparent px.
    shares
        The fraction of px of each value.
    notes
        Sentences for the user.
    colours
        The colours of the values, if a palette gives numbers colours; they may be used instead of the numbers.
    """

    path: Path
    codes: UInt8Array
    values: tuple[str, ...]
    shares: tuple[float, ...]
    notes: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()


def read_mask(path: Path) -> Mask:
    """Return the classes of a PNG or TIFF.

    Raises
    ------
    LabelError
        If it is too large, has several planes, or has too many values to be a mask.
    ImageError
        If it is damaged.
    """
    with translate_errors(path), path.open("rb") as stream:
        is_png = stream.read(4) == b"\x89PNG"
    pixels, palette = _read_png(path) if is_png else (_read_tiff(path), ())
    codes, packed, counts = _classes(pixels, path)
    texts = _colour_texts(packed, pixels.shape[2]) if pixels.ndim == 3 else tuple(map(_number_text, packed))
    if len(set(texts)) < len(texts):  # transparent px may have any colour
        codes, texts, counts = _merged(codes, texts, counts)
    shares = tuple(count / codes.size for count in counts)
    colours = tuple(palette[int(number)] for number in packed) if palette else ()
    named = listed(f"{number} is {colour}" for number, colour in zip(texts, colours, strict=False))
    notes = (f"{path.name}: numbers with a palette: {named}",) if palette else ()
    return Mask(path, codes, texts, shares, notes, colours)


def _read_png(path: Path) -> tuple[Array, tuple[str, ...]]:
    """Return the pixels, and the colours of a palette."""
    with translate_errors(path), path.open("rb") as stream:
        image = PngImageFile(stream)
        _require_size(*image.size, path)
        image.load()
        palette = bytes(image.getpalette() or ()) if image.mode == "P" else b""
        return np.asarray(image), tuple(f"#{palette[3 * number :][:3].hex()}" for number in range(len(palette) // 3))


def _read_tiff(path: Path) -> Array:
    with translate_errors(path), tifffile.TiffFile(path) as file:
        level = file.series[0].levels[0]
        axes, shape = level.axes, level.shape
        is_plane = axes == "YX" or (len(axes) == 3 and axes.replace("YX", "") == "S")
        if not is_plane or (len(axes) == 3 and shape[axes.index("S")] not in CHANNELS):
            raise LabelError(
                f"the mask {path} has the axes {axes}, not one plane of numbers or colours", hint=PLAIN_HINT
            )
        _require_size(shape[axes.index("X")], shape[axes.index("Y")], path)
        pixels: Array = level.asarray()
    return np.moveaxis(pixels, 0, -1) if axes.startswith("S") else pixels


def _require_size(width: int, height: int, path: Path) -> None:
    if width * height > MAX_PX:
        raise LabelError(f"the mask {path} is {width} x {height} px, too large to hold in memory", hint=SMALLER_HINT)


def _classes(pixels: Array, path: Path) -> tuple[UInt8Array, list[float], list[int]]:
    """Return the code of every px, and the value and number of px of each code; band by band, to bound the memory."""
    if pixels.ndim == 3 and pixels.dtype != np.uint8:
        raise LabelError(f"the mask {path} has colours of {pixels.dtype}, expected 8 bits", hint=PLAIN_HINT)
    known: dict[float, int] = {}
    counts: list[int] = []
    codes = np.empty(pixels.shape[:2], dtype=np.uint8)
    rows = max(BAND_PX // max(pixels.shape[1], 1), 1)
    for top in range(0, len(pixels), rows):
        band = pixels[top : top + rows]
        values, inverse, tally = np.unique(_packed(band), return_inverse=True, return_counts=True)
        if len(known.keys() | set(values.tolist())) > MAX_CLASSES:
            raise LabelError(
                f"the mask {path} has more than {MAX_CLASSES} values: it is a picture, or its edges are smoothed",
                hint=PLAIN_HINT,
            )
        for value, count in zip(values.tolist(), tally.tolist(), strict=True):
            code = known.setdefault(value, len(known))
            counts += [0] * (code == len(counts))
            counts[code] += count
        codes[top : top + rows] = np.array([known[value] for value in values.tolist()], np.uint8)[inverse].reshape(
            band.shape[:2]
        )
    return codes, list(known), counts


def _packed(band: Array) -> Array:
    """Return one number per px: that of its class, or its colour channels in one."""
    if band.ndim == 2:
        return band
    channels = band.astype(np.uint32)
    packed: Array = np.bitwise_or.reduce([channels[..., index] << (8 * index) for index in range(band.shape[2])])
    return packed


def _number_text(value: float) -> str:
    return f"{value:d}" if isinstance(value, int) else f"{value:g}"


def _colour_texts(packed: list[float], channels: int) -> tuple[str, ...]:
    """Return the colour of every value; '' where it is transparent."""
    colours = [[int(value) >> (8 * index) & 0xFF for index in range(channels)] for value in packed]
    has_alpha = channels in (2, 4)
    return tuple(
        "" if has_alpha and colour[-1] == 0 else str(colour[0]) if channels == 2 else f"#{bytes(colour[:3]).hex()}"
        for colour in colours
    )


def _merged(
    codes: UInt8Array, texts: tuple[str, ...], counts: list[int]
) -> tuple[UInt8Array, tuple[str, ...], list[int]]:
    unique = list(dict.fromkeys(texts))
    totals = [sum(count for text, count in zip(texts, counts, strict=True) if text == name) for name in unique]
    lookup = np.array([unique.index(text) for text in texts], dtype=np.uint8)
    return lookup[codes], tuple(unique), totals
