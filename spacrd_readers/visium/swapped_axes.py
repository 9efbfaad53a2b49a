"""Catch x and y in each other's place: some tools name the two columns of px the wrong way round.

Exchanged, an array lies mirrored on its image. That alone is no proof, for images are mirrored too; but then the spots
that are in tissue lie on the stained part of the image, and would not if x and y were exchanged.
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

BETTER = 0.1  # of an image that shows no more than chance, real and synthetic tissue fits better by 0.3 and more


def refuse_exchanged(positions: Positions, frame: ImageFrame) -> None:
    """Refuse the positions of a mirrored array that fit the small image better with x and y exchanged.

    Raises
    ------
    GeometryError
        If so.
    """
    if not frame.slides:
        return
    preview = frame.slides[-1]
    with open_raster(preview.path) as raster:
        stain = _saturation(raster.rows(0, raster.height))
    as_is, exchanged = (
        _fit(stain, px * preview.scale, positions.in_tissue) for px in (positions.px, positions.px[:, ::-1])
    )
    if exchanged > as_is + BETTER:
        raise GeometryError(
            f"x and y of the positions {positions.path} are in each other's place: its array lies mirrored, and fits "
            f"{preview.path.name} better when they are exchanged",
            hint="exchange its columns pxl_row_in_fullres and pxl_col_in_fullres",
        )


def _saturation(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how far each pixel is from grey: glass and black borders are grey, stained tissue is not."""
    return np.asarray(pixels.max(axis=2) - pixels.min(axis=2))


def _fit(stain: NDArray[np.uint8], places: NDArray[np.float64], in_tissue: NDArray[np.bool_]) -> float:
    """Return how often a spot in tissue lies on more stain than one that is not; if all are, how many lie on it."""
    x, y = np.floor(places).astype(int).T
    height, width = stain.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    if in_tissue.all():
        return float(inside.mean())
    found = np.where(inside, stain[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], -1)
    count = in_tissue.sum()
    ranks = rankdata(found)[in_tissue].sum() - count * (count + 1) / 2
    return float(ranks / (count * (len(found) - count)))
