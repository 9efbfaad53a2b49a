"""Detect positions whose x and y are swapped: some tools swap the names of the two px columns.

Swapping mirrors the array on its image. A mirrored array alone is not proof, because images can be mirrored too; but
then the spots in tissue are on the stained part of the image, and with x and y swapped they are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from spacrd_core.errors import GeometryError
from spacrd_core.images.raster import open_raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.tenx.image_frame import ImageFrame
    from spacrd_readers.visium.positions import Positions

MIN_IMPROVEMENT = 0.1  # of the agreement; real and synthetic tissue exceeds chance by 0.3 or more


def refuse_swapped_axes(positions: Positions, frame: ImageFrame) -> None:
    """Refuse positions of a mirrored array that match the stain in the preview better with x and y swapped.

    Raises
    ------
    GeometryError
        If they match better when swapped.
    """
    if not frame.slides:
        return
    preview = frame.slides[-1]
    with open_raster(preview.path) as raster:
        stain = _saturation(raster.rows(0, raster.height))
    as_is, swapped = (
        _stain_agreement(stain, px * preview.scale, positions.in_tissue) for px in (positions.px, positions.px[:, ::-1])
    )
    if swapped > as_is + MIN_IMPROVEMENT:
        raise GeometryError(
            f"x and y of the positions {positions.path} are swapped: the array is mirrored, and matches "
            f"{preview.path.name} better with x and y swapped back",
            hint="swap its columns pxl_row_in_fullres and pxl_col_in_fullres",
        )


def _saturation(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the colour saturation of each pixel: background and black borders are grey, stained tissue is not."""
    return np.asarray(pixels.max(axis=2) - pixels.min(axis=2))


def _stain_agreement(stain: NDArray[np.uint8], points: NDArray[np.float64], in_tissue: NDArray[np.bool_]) -> float:
    """Return the AUC of stain for spots in tissue against the others; if all are in tissue, the share on the image."""
    x, y = np.floor(points).astype(int).T
    height, width = stain.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    if in_tissue.all():
        return float(inside.mean())
    values = np.where(inside, stain[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(int), -1)
    count = in_tissue.sum()
    ranks = rankdata(values)[in_tissue].sum() - count * (count + 1) / 2
    return float(ranks / (count * (len(values) - count)))
