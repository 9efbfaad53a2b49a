"""The levels of a stored slide: their arrays, their NGFF metadata, and their writing in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL import Image

from spacrd_core.slide.compression import codecs, level_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import zarr

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.images.jpeg import Jpeg

CHUNK = 512
SHARD = (1024, 8192)  # wide and low, because shards are written whole and pixels arrive in rows
COARSEST_PX = 512  # longest side of the coarsest level


class LevelWriter:
    """Writes a level from the top down in whole shards, and passes the means of 2 x 2 px to the next coarser level."""

    def __init__(self, array: Any, coarser: Self | None) -> None:
        self._array = array
        self._coarser = coarser
        self._buffer: UInt8Array = np.empty((SHARD[0], array.shape[2], 3), dtype=np.uint8)
        self._count = 0
        self._top = 0

    @classmethod
    def chain(cls, arrays: Sequence[Any]) -> Self:
        """Return the writer of the first array; ``arrays`` are ordered from fine to coarse, and each feeds the next."""
        coarser = cls.chain(arrays[1:]) if len(arrays) > 1 else None
        return cls(arrays[0], coarser)

    def push(self, rows: UInt8Array) -> None:
        """Add the next rows, height x width x 3."""
        while len(rows):
            fitting = rows[: len(self._buffer) - self._count]
            self._buffer[self._count : self._count + len(fitting)] = fitting
            self._count += len(fitting)
            rows = rows[len(fitting) :]
            if self._count == len(self._buffer):
                self._flush()

    def close(self) -> None:
        """Write the remaining rows."""
        if self._count:
            self._flush()
        if self._coarser:
            self._coarser.close()

    def _flush(self) -> None:
        rows = self._buffer[: self._count]
        self._array[:, self._top : self._top + len(rows)] = np.moveaxis(rows, -1, 0)
        self._top += len(rows)
        self._count = 0
        if self._coarser:
            # An odd last row or column is the mean of the px that exist.
            self._coarser.push(np.asarray(Image.fromarray(rows).reduce(2)))


def create_levels(
    group: zarr.Group, height: int, width: int, um_per_px: float, jpeg: Jpeg | None, *, averaged: bool
) -> list[Any]:
    """Create the arrays of a pyramid, each half the size of the previous one, and their metadata; finest first.

    ``jpeg`` are the settings of the image; ``averaged`` tells that the finest level does not have the image's own px.
    """
    shapes = [(height, width)]
    while max(shapes[-1]) > COARSEST_PX:
        shapes.append((-(-shapes[-1][0] // 2), -(-shapes[-1][1] // 2)))
    scales = [um_per_px * 2**number for number in range(len(shapes))]
    settings = level_settings(jpeg, scales, averaged=averaged)
    arrays = [_create(group, str(number), *shapes[number], each) for number, each in enumerate(settings)]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [_multiscale(scales)]}
    return arrays


def _create(group: zarr.Group, name: str, height: int, width: int, jpeg: Jpeg | None) -> Any:
    shard = [min(limit, -(-side // CHUNK) * CHUNK) for limit, side in zip(SHARD, (height, width), strict=True)]
    return group.create_array(
        name,
        shape=(3, height, width),
        chunks=(3, CHUNK, CHUNK),
        shards=(3, shard[0], shard[1]),
        dtype="uint8",
        fill_value=255,
        dimension_names=("c", "y", "x"),
        **codecs(jpeg),
    )


def _multiscale(scales: Sequence[float]) -> dict[str, Any]:
    """Return NGFF metadata, which refer to px centres; the first centre of a coarser level has a larger offset."""
    datasets = [
        {
            "path": str(number),
            "coordinateTransformations": [
                {"type": "scale", "scale": [1.0, um_per_px, um_per_px]},
                {"type": "translation", "translation": [0.0, *[(um_per_px - scales[0]) / 2] * 2]},
            ],
        }
        for number, um_per_px in enumerate(scales)
    ]
    space = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
    return {"axes": [{"name": "c", "type": "channel"}, *space], "datasets": datasets, "type": "mean"}
