"""The stored slide: an OME-Zarr pyramid (NGFF 0.5) whose um/px is known at every level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import zarr
from PIL import Image

from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.slide.raster import Raster

Array = np.ndarray[Any, np.dtype[np.uint8]]
CHUNK, SHARD, SMALLEST = 512, 4096, 512


@dataclass(frozen=True)
class Level:
    """One resolution of a slide. Pixel (0, 0) has its corner at the slide's origin."""

    array: Any
    um_per_px: float

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.array.shape[1])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.array.shape[2])

    def read(self, top: int, bottom: int, left: int, right: int) -> Array:
        """Return a rectangle inside the level, height x width x 3."""
        return np.moveaxis(np.asarray(self.array[:, top:bottom, left:right]), 0, -1)


@dataclass(frozen=True)
class Pyramid:
    """A stored slide, finest level first; ``notes`` are sentences for the user."""

    levels: tuple[Level, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the pyramid in a folder."""
        group: Any = zarr.open_group(folder, mode="r")
        datasets = group.attrs["ome"]["multiscales"][0]["datasets"]
        levels = (Level(group[d["path"]], d["coordinateTransformations"][0]["scale"][1]) for d in datasets)
        return cls(tuple(levels), tuple(group.attrs["spacrd"]["notes"]))

    def level_for(self, um_per_px: float) -> Level:
        """Return the coarsest level that is at least as fine as ``um_per_px``; the finest where none is."""
        fine = [level for level in self.levels if level.um_per_px <= um_per_px * 1.001]
        return fine[-1] if fine else self.levels[0]

    def thumbnail(self, longest_px: int) -> tuple[Array, float]:
        """Return the whole slide in at most ``longest_px`` px, and its um/px."""
        finest = self.levels[0]
        shrink = max(1.0, max(finest.height, finest.width) / longest_px)
        level = self.level_for(finest.um_per_px * shrink)
        um_per_px = finest.um_per_px * shrink
        ratio = um_per_px / level.um_per_px
        size = (max(1, round(level.width / ratio)), max(1, round(level.height / ratio)))
        whole = Image.fromarray(level.read(0, level.height, 0, level.width))
        box = (0.0, 0.0, min(size[0] * ratio, level.width), min(size[1] * ratio, level.height))
        return np.asarray(whole.resize(size, Image.Resampling.BOX, box=box)), um_per_px


def write_pyramid(raster: Raster, folder: Path, *, um_per_px: float, mpp: float = 0.5, track: Track = silent) -> None:
    """Write an image as a pyramid whose finest level has ``mpp`` um/px, or the image's own um/px if that is coarser.

    Every level is the area mean of what it covers, written strip by strip: memory does not grow with its height.
    """
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    base = max(um_per_px, mpp)
    ratio = base / um_per_px
    width, height = max(1, round(raster.width / ratio)), max(1, round(raster.height / ratio))
    level = Level(_create(group, 0, height, width), base)
    strips = list(_strips(height))
    for top, bottom in track(strips, "writing slide", len(strips)):
        level.array[:, top:bottom] = np.moveaxis(_reduced(raster, top, bottom, ratio, width), -1, 0)
    levels = [level]
    while max(levels[-1].height, levels[-1].width) > SMALLEST:
        levels.append(
            _halve(levels[-1], _create(group, len(levels), -(-levels[-1].height // 2), -(-levels[-1].width // 2)))
        )
    group.attrs["ome"] = {"version": "0.5", "multiscales": [_multiscale(levels)]}
    group.attrs["spacrd"] = {"notes": list(raster.notes), "source_um_per_px": um_per_px}


def _create(group: zarr.Group, number: int, height: int, width: int) -> Any:
    shard = tuple(min(SHARD, -(-side // CHUNK) * CHUNK) for side in (height, width))
    return group.create_array(
        str(number),
        shape=(3, height, width),
        chunks=(3, CHUNK, CHUNK),
        shards=(3, *shard),
        dtype="uint8",
        fill_value=255,
    )


def _strips(height: int) -> Iterator[tuple[int, int]]:
    """Rows that fill whole shards."""
    for top in range(0, height, SHARD):
        yield top, min(top + SHARD, height)


def _reduced(raster: Raster, top: int, bottom: int, ratio: float, width: int) -> Array:
    """Rows of the base level: area means over ``ratio`` source px; source px lie at multiples of ``1 / ratio``."""
    if ratio == 1.0:
        return raster.rows(top, bottom)
    first, last = int(top * ratio), min(raster.height, int(np.ceil(bottom * ratio)))
    source = Image.fromarray(raster.rows(first, last))
    box = (0.0, top * ratio - first, min(width * ratio, raster.width), min(bottom * ratio - first, last - first))
    return np.asarray(source.resize((width, bottom - top), Image.Resampling.BOX, box=box))


def _halve(finer: Level, array: Any) -> Level:
    """Fill a level with the means of 2 x 2 px; an odd last row or column counts twice."""
    for top, bottom in _strips(array.shape[1]):
        source = np.asarray(finer.array[:, 2 * top : min(2 * bottom, finer.height)], dtype=np.uint16)
        source = np.pad(source, ((0, 0), (0, source.shape[1] % 2), (0, source.shape[2] % 2)), mode="edge")
        total = source[:, ::2, ::2] + source[:, 1::2, ::2] + source[:, ::2, 1::2] + source[:, 1::2, 1::2]
        array[:, top:bottom] = ((total + 2) // 4).astype(np.uint8)
    return Level(array, finer.um_per_px * 2)


def _multiscale(levels: list[Level]) -> dict[str, Any]:
    """NGFF metadata: a level's pixel centres lie half its own pixel from the slide's corner."""
    corner = levels[0].um_per_px / 2
    datasets = [
        {
            "path": str(number),
            "coordinateTransformations": [
                {"type": "scale", "scale": [1.0, level.um_per_px, level.um_per_px]},
                {"type": "translation", "translation": [0.0, *[level.um_per_px / 2 - corner] * 2]},
            ],
        }
        for number, level in enumerate(levels)
    ]
    space = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
    return {"axes": [{"name": "c", "type": "channel"}, *space], "datasets": datasets, "type": "mean"}
