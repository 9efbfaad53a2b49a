"""The stored slide: an OME-Zarr pyramid (NGFF 0.5) with a known um/px at every level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import zarr

from spacrd_core.errors import CorruptStore, SpacrdError
from spacrd_core.opening.declared import MAX_IMAGE_EXPANSION, require_plausible
from spacrd_core.opening.kinds import refuse_special_below
from spacrd_core.progress import Track, silent
from spacrd_core.slide.downsample import AreaDownsampler
from spacrd_core.slide.levels import LevelWriter, create_levels
from spacrd_core.slide.shards import REPAIR_HINT, Shards

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.images.rows import Raster

BAND_ROWS = 128
# Of zarr and its codecs on damaged chunks and metadata.
READ_ERRORS = (
    *(OSError, ValueError, LookupError, RuntimeError, TypeError, AttributeError, ArithmeticError, MemoryError),
    *(AssertionError, NotImplementedError),
)


@dataclass(frozen=True)
class Level:
    """One resolution of a slide; the corner of pixel (0, 0) is the slide's origin."""

    array: Any
    um_per_px: float
    repair: str = REPAIR_HINT

    @property
    def height(self) -> int:
        """Height in px."""
        return int(self.array.shape[1])

    @property
    def width(self) -> int:
        """Width in px."""
        return int(self.array.shape[2])

    @cached_property
    def shards(self) -> Shards | None:
        """The shards of a level that SpaCRD has stored, None for any other array."""
        return Shards.from_array(self.array, repair=self.repair)

    def read(self, top: int, bottom: int, left: int, right: int) -> UInt8Array:
        """Return a rectangle inside the level, height x width x 3.

        Raises
        ------
        CorruptStore
            If a part of it is damaged.
        """
        if self.shards:
            return self.shards.rectangle(top, bottom, left, right)
        try:
            return np.moveaxis(np.asarray(self.array[:, top:bottom, left:right]), 0, -1)
        except READ_ERRORS as error:
            where = getattr(self.array, "store_path", "the slide")
            raise CorruptStore(f"{where} cannot be read: {error}", hint=self.repair) from error

    def pixel_range(self, start_um: float, stop_um: float, size: int) -> range:
        """Return the px, of ``size`` along an axis, that an interval overlaps by more than a rounding error."""
        first, last = int(start_um / self.um_per_px + 1e-6), int(np.ceil(stop_um / self.um_per_px - 1e-6))
        return range(min(max(first, 0), size), max(min(last, size), 0))


class Crop(NamedTuple):
    """A part of a slide: height x width x 3 px, their um/px, and the top-left corner (left, top; in um)."""

    pixels: UInt8Array
    um_per_px: float
    corner_um: tuple[float, float]


@dataclass(frozen=True)
class Pyramid:
    """A stored slide, finest level first; ``notes`` are sentences for the user."""

    levels: tuple[Level, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def open(cls, folder: Path, *, repair: str = REPAIR_HINT) -> Self:
        """Return the pyramid in a folder; ``repair`` is the hint of errors that name damage.

        Raises
        ------
        CorruptStore
            If the folder contains no pyramid.
        """
        try:
            refuse_special_below(folder, CorruptStore)
            group: Any = zarr.open_group(folder, mode="r", zarr_format=3)
            datasets = group.attrs["ome"]["multiscales"][0]["datasets"]
            levels = (
                Level(group[each["path"]], float(each["coordinateTransformations"][0]["scale"][1]), repair)
                for each in datasets
            )
            notes = tuple(map(str, group.attrs["spacrd"]["notes"]))
            return cls(tuple(_require_level(level) for level in levels), notes)
        except READ_ERRORS as error:
            if isinstance(error, SpacrdError):
                raise
            raise CorruptStore(f"{folder} does not contain a slide: {error}", hint=repair) from error

    def level_for(self, um_per_px: float) -> Level:
        """Return the coarsest level that is at least as fine as ``um_per_px``, or else the finest level."""
        fine = [level for level in self.levels if level.um_per_px <= um_per_px * 1.001]
        return fine[-1] if fine else self.levels[0]

    def thumbnail(self, longest_px: int) -> tuple[UInt8Array, float]:
        """Return the whole slide with a longest side of at most ``longest_px`` px, and its um/px."""
        finest = self.levels[0]
        whole = self.crop((0.0, 0.0, finest.width * finest.um_per_px, finest.height * finest.um_per_px), longest_px)
        return whole.pixels, whole.um_per_px

    def crop(self, box_um: tuple[float, float, float, float], longest_px: int) -> Crop:
        """Return a box of the slide (left, top, right, bottom; in um) with a longest side of at most ``longest_px`` px.

        It is aligned to whole px of the level it is read from, and is empty if the box is outside the slide.
        """
        left, top, right, bottom = box_um
        um_per_px = max(self.levels[0].um_per_px, (right - left) / longest_px, (bottom - top) / longest_px)
        part = self.part(box_um, um_per_px)
        if not part.pixels.size:
            return part._replace(um_per_px=um_per_px)
        height, width = part.pixels.shape[:2]
        downsampler = AreaDownsampler(height, width, max(1.0, um_per_px / part.um_per_px))
        pixels = downsampler.rows(0, downsampler.shape[0], lambda first, last: part.pixels[first:last])
        return Crop(pixels, um_per_px, part.corner_um)

    def part(self, box_um: tuple[float, float, float, float], um_per_px: float) -> Crop:
        """Return a box of the slide as it is stored, from the coarsest level that is at least as fine as ``um_per_px``.

        It is empty if the box is outside the slide.
        """
        left, top, right, bottom = box_um
        level = self.level_for(um_per_px)
        columns, rows = level.pixel_range(left, right, level.width), level.pixel_range(top, bottom, level.height)
        corner = columns.start * level.um_per_px, rows.start * level.um_per_px
        if not len(rows) or not len(columns):
            return Crop(np.empty((0, 0, 3), dtype=np.uint8), level.um_per_px, corner)
        return Crop(level.read(rows.start, rows.stop, columns.start, columns.stop), level.um_per_px, corner)


def _require_level(level: Level) -> Level:
    """Refuse a level that is not a picture of a size in um, or declares far more than it stores."""
    require_plausible(level.array, expansion=MAX_IMAGE_EXPANSION)
    shape = level.array.shape
    if len(shape) != 3 or shape[0] != 3 or level.array.dtype != np.uint8 or min(shape) < 1:
        raise ValueError(f"a level of {level.array.dtype} with shape {shape} is not a picture")
    if not 0 < level.um_per_px < np.inf:
        raise ValueError(f"a level has {level.um_per_px} um/px")
    return level


def overview(raster: Raster, um_per_px: float, coarse_um_per_px: float) -> Pyramid:
    """Return an image in memory at a coarse resolution, or at its own if that is coarser; it is read once, in bands."""
    base = max(um_per_px, coarse_um_per_px)
    downsampler = AreaDownsampler(raster.height, raster.width, base / um_per_px)
    height = downsampler.shape[0]
    bands = [downsampler.rows(top, min(top + BAND_ROWS, height), raster.rows) for top in range(0, height, BAND_ROWS)]
    return Pyramid((Level(np.moveaxis(np.concatenate(bands), -1, 0), base),), raster.notes)


def write_pyramid(raster: Raster, folder: Path, *, um_per_px: float, mpp: float = 0.5, track: Track = silent) -> None:
    """Write an image as a pyramid whose finest level has ``mpp`` um/px, or the image's own um/px if that is coarser.

    Every px is the mean of the area it covers. The image is read once, in bands of rows, and all levels are written in
    the same pass, so memory depends only on the image's width. A JPEG stays one; of
    other images every px is kept.
    """
    base = max(um_per_px, mpp)
    downsampler = AreaDownsampler(raster.height, raster.width, base / um_per_px)
    height, width = downsampler.shape
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    group.attrs["spacrd"] = {"notes": list(raster.notes), "source_um_per_px": um_per_px}
    arrays = create_levels(group, height, width, base, raster.jpeg, averaged=base != um_per_px)
    finest = LevelWriter.chain(arrays)
    for top in track(range(0, height, BAND_ROWS), "writing slide", -(-height // BAND_ROWS)):
        bottom = min(top + BAND_ROWS, height)
        finest.push(raster.rows(top, bottom) if base == um_per_px else downsampler.rows(top, bottom, raster.rows))
    finest.close()
