"""Read the positions of all spots of an AnnData file, in px of the image that they refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

POSITION_KEYS = ("obsm/spatial", "obsm/X_spatial")
CROPPED_POSITIONS = "spatial_cropped"  # bin2cell's name for positions on a cropped image, before the image's suffix
X_NAMES = {"x", "xpx", "xcoord", "xcentroid", "pxlcolinfullres", "imagecol"}
Y_NAMES = {"y", "ypx", "ycoord", "ycentroid", "pxlrowinfullres", "imagerow"}


def positions_key(file: AnnDataFile, image_name: str = "") -> str:
    """Return the key of the positions on an image: those that carry its name, else the usual ones."""
    return positions_of_image(file, image_name) or next(key for key in POSITION_KEYS if file.has(key))


def positions_of_image(file: AnnDataFile, image_name: str) -> str:
    """Return the key of the positions that belong to one image only; '' if it has none of its own.

    bin2cell stores ``obsm['spatial_cropped_150_buffer']`` for the image ``0.5_mpp_150_buffer``.
    """
    names = (name for name in file.names("obsm") if name.startswith(f"{CROPPED_POSITIONS}_"))
    return next((f"obsm/{name}" for name in names if image_name.endswith(name.removeprefix(CROPPED_POSITIONS))), "")


def display_key(key: str) -> str:
    """Return the key of positions in AnnData notation."""
    return f"obsm['{shortened(key.partition('/')[2])}']"


def read_positions(file: AnnDataFile, count: int, key: str) -> pd.DataFrame:
    """Return ``x_px`` and ``y_px`` of every row of ``obs``.

    Raises
    ------
    GeometryError
        If they are not pairs of numbers.
    """
    positions = file.element(key)
    if isinstance(positions, pd.DataFrame):
        positions = _x_before_y(positions)
    values: NDArray[np.float64] = np.asarray(positions)
    if values.shape != (count, 2):
        raise GeometryError(
            f"{display_key(key)} of {file.path} has shape {' x '.join(map(str, values.shape))}, "
            f"expected {count} x 2: x and y of every spot in px of the full-resolution image"
        )
    try:
        return pd.DataFrame(values.astype(np.float64), columns=["x_px", "y_px"])
    except (TypeError, ValueError) as error:
        raise GeometryError(
            f"the positions of {file.path} are not numbers: {error}", hint="write them as numbers"
        ) from error


def _x_before_y(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table's columns of x and y, by their names; all columns in their order if the names do not say."""
    names = {str(name).casefold().replace("_", ""): name for name in table.columns}
    x, y = ([names[name] for name in names if name in known] for known in (X_NAMES, Y_NAMES))
    return table[[*x, *y]] if len(x) == len(y) == 1 else table
