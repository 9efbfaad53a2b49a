"""Small slides in scanner formats: Aperio SVS, Leica SCN, Hamamatsu VMS and DICOM."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from spacrd_core.arrays import UInt8Array

TILE = 64
LEICA = "http://www.leica-microsystems.com/scn/2010/10/01"


def write_svs(path: Path, pixels: UInt8Array, *, mpp: str = "0.2500", extras: bool = True) -> None:
    """Write an SVS as Aperio does: the tiled slide, a thumbnail, a coarser level, a label and an overview."""
    height, width = pixels.shape[:2]
    description = (
        f"Aperio Image Library v12.0.15\r\n{width}x{height} [0,0 {width}x{height}]|AppMag = 40|MPP = {mpp}|ID = 7"
    )
    tiled: dict[str, Any] = {"photometric": "rgb", "tile": (TILE, TILE), "compression": "zlib", "metadata": None}
    strips: dict[str, Any] = {"photometric": "rgb", "compression": "lzw", "metadata": None}
    with tifffile.TiffWriter(path) as file:
        file.write(pixels, description=description, **tiled)
        if extras:
            file.write(pixels[::8, ::8], description=f"{description} thumbnail", **strips)
            file.write(pixels[::4, ::4], description=description, **tiled)
            file.write(
                np.full((40, 40, 3), 250, np.uint8), description="Aperio\r\nlabel 40x40", subfiletype=1, **strips
            )
            file.write(np.full((40, 90, 3), 99, np.uint8), description="Aperio\r\nmacro 90x40", subfiletype=9, **strips)


@dataclass(frozen=True)
class LeicaArea:
    """One scanned area of an SCN and its position in the frame, in px, possibly fractional."""

    pixels: UInt8Array
    left: float
    top: float


def write_scn(path: Path, areas: Sequence[LeicaArea], *, size: tuple[int, int], um_per_px: float = 0.5) -> None:
    """Write an SCN: a frame of ``size`` (width, height) px in which only some areas were scanned."""
    nm = um_per_px * 1000
    frame = _leica_image(0, (TILE, TILE), (0, 0, size[0] * nm, size[1] * nm))
    images = [
        _leica_image(number, area.pixels.shape[1::-1], (area.left * nm, area.top * nm, *_extent(area.pixels, nm)))
        for number, area in enumerate(areas, 1)
    ]
    collection = f'<collection name="s" uuid="c" sizeX="{size[0] * nm:.0f}" sizeY="{size[1] * nm:.0f}">'
    xml = f'<?xml version="1.0"?><scn xmlns="{LEICA}" uuid="s">{collection}{frame}{"".join(images)}</collection></scn>'
    layout: dict[str, Any] = {"photometric": "rgb", "tile": (TILE, TILE), "compression": "jpeg", "subsampling": (1, 1)}
    per_cm = (1e4 / um_per_px,) * 2
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        file.write(np.full((TILE, TILE, 3), 200, np.uint8), description=xml, metadata=None, **layout)
        for area in areas:
            file.write(area.pixels, metadata=None, resolution=per_cm, resolutionunit="CENTIMETER", **layout)


def _extent(pixels: UInt8Array, nm: float) -> tuple[float, float]:
    return pixels.shape[1] * nm, pixels.shape[0] * nm


def _leica_image(page: int, size: tuple[int, ...], view: tuple[float, ...]) -> str:
    left, top, width, height = (round(value) for value in view)
    dimension = f'<pixels sizeX="{size[0]}" sizeY="{size[1]}"><dimension sizeX="{size[0]}" sizeY="{size[1]}" r="0" '
    attributes = f'sizeX="{width}" sizeY="{height}" offsetX="{left}" offsetY="{top}" spacingZ="0"'
    objective = f"<objectiveSettings><objective>{20 if page else 0.6}</objective></objectiveSettings>"
    lamp = "<illuminationSettings><illuminationSource>brightfield</illuminationSource></illuminationSettings>"
    return (
        f'<image name="{page}" uuid="{page}"><creationDate>2020-01-01</creationDate><device model="Leica SCN400"/>'
        f'{dimension}ifd="{page}"/></pixels><view {attributes}/><scanSettings>{objective}{lamp}</scanSettings></image>'
    )


def write_vms(path: Path, pixels: UInt8Array, *, um_per_px: float = 0.46) -> None:
    """Write a VMS: an index file, and beside it the slide, a map and an overview as JPEGs with restart markers."""
    images = {"ImageFile": (1, 16), "MapFile": (4, 4), "MacroImage": (8, 0)}
    lines = ["[Virtual Microscope Specimen]", "NoLayers=1", "NoJpegColumns=1", "NoJpegRows=1", "SourceLens=20"]
    for key, (step, restart) in images.items():
        name = f"{path.stem}_{key}.jpg"
        picture = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
        picture.save(path.with_name(name), quality=98, restart_marker_blocks=restart, subsampling=0)
        lines.append(f"{key}={name}")
    height, width = pixels.shape[:2]
    lines += [f"PhysicalWidth={width * um_per_px * 1000:.0f}", f"PhysicalHeight={height * um_per_px * 1000:.0f}"]
    path.write_text("\n".join([*lines, "PhysicalMacroWidth=1000", "PhysicalMacroHeight=1000", ""]))


def write_dicom(path: Path, pixels: UInt8Array, *, um_per_px: float = 0.46) -> None:
    """Write a DICOM whole-slide image of uncompressed tiles; the sides must be whole tiles."""
    height, width = pixels.shape[:2]
    tiles = [pixels[y : y + TILE, x : x + TILE] for y in range(0, height, TILE) for x in range(0, width, TILE)]
    spacing = _element(0x00280030, "DS", rf"{um_per_px / 1000}\{um_per_px / 1000}")
    elements: list[tuple[int, str, str | bytes]] = [
        (0x00080008, "CS", r"ORIGINAL\PRIMARY\VOLUME\NONE"),
        (0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.77.1.6"),
        (0x00080018, "UI", "1.2.3.4"),
        (0x00080060, "CS", "SM"),
        (0x0020000D, "UI", "1.2.5"),
        (0x0020000E, "UI", "1.2.6"),
        (0x00209311, "CS", "TILED_FULL"),
        (0x00280002, "US", struct.pack("<H", 3)),
        (0x00280004, "CS", "RGB"),
        (0x00280006, "US", struct.pack("<H", 0)),
        (0x00280008, "IS", str(len(tiles))),
        (0x00280010, "US", struct.pack("<H", TILE)),
        (0x00280011, "US", struct.pack("<H", TILE)),
        (0x00280100, "US", struct.pack("<H", 8)),
        (0x00280101, "US", struct.pack("<H", 8)),
        (0x00280102, "US", struct.pack("<H", 7)),
        (0x00280103, "US", struct.pack("<H", 0)),
        (0x00480006, "UL", struct.pack("<I", width)),
        (0x00480007, "UL", struct.pack("<I", height)),
        (0x00480303, "UL", struct.pack("<I", 1)),
        (0x52009229, "SQ", _sequence_item(_element(0x00289110, "SQ", _sequence_item(spacing)))),
        (0x7FE00010, "OB", b"".join(tile.tobytes() for tile in tiles)),
    ]
    meta = _element(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.77.1.6") + _element(0x00020003, "UI", "1.2.3.4")
    meta += _element(0x00020010, "UI", "1.2.840.10008.1.2.1") + _element(0x00020012, "UI", "1.2.3")
    head = bytes(128) + b"DICM" + _element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
    path.write_bytes(head + b"".join(_element(*element) for element in elements))


def _element(tag: int, kind: str, value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    content += (b"\0" if kind in {"UI", "OB"} else b" ") * (len(content) % 2)
    length = struct.pack("<HI", 0, len(content)) if kind in {"OB", "SQ"} else struct.pack("<H", len(content))
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + kind.encode() + length + content


def _sequence_item(content: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
