"""Rows of an image of a SpatialData object as 8-bit RGB, read when they are needed: a slide may not fit in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.images.channels import NEUTRAL
from spacrd_core.images.rows import BandDecoder
from spacrd_core.quoting import listed
from spacrd_readers.anndata.pixels import to_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS = (3, 4)  # channels of RGB and RGBA
MIN_PX = 512  # of the shorter side of an image that is looked at as a whole


class ImageRows:
    """The finest scale of an image; a slice of rows is read from the store by bands of whole chunks."""

    def __init__(self, image: Any, title: str) -> None:
        height, width = image.sizes["y"], image.sizes["x"]
        self.shape: tuple[int, ...] = (height, width, 3)
        self._image, self._title = image.transpose("y", "x", "c"), title
        chunks = getattr(self._image.data, "chunks", ((height,),))
        self._bands = BandDecoder(height, max(chunks[0]), self._decode)

    def __getitem__(self, rows: slice) -> NDArray[np.uint8]:
        top, bottom, _ = rows.indices(self.shape[0])
        return self._bands.rows(top, bottom)

    def _decode(self, top: int, bottom: int) -> NDArray[np.uint8]:
        return to_rgb(np.asarray(self._image.data[top:bottom]), self._title)


def finest_scale(image: Any) -> Any:
    """Return the finest scale of an image, which may be stored at several."""
    return _scales(image)[0]


def coarse_scale(image: Any) -> Any:
    """Return the coarsest scale of an image that still shows what it is an image of."""
    scales = _scales(image)
    return next((scale for scale in reversed(scales) if min(scale.sizes["x"], scale.sizes["y"]) >= MIN_PX), scales[0])


def _scales(image: Any) -> list[Any]:
    if not hasattr(image, "children"):
        return [image]
    return [next(iter(scale.data_vars.values())) for scale in image.children.values()]


def why_not_colour(image: Any) -> str:
    """Return why an image is not one of three colours; '' if it may be."""
    if set(image.dims) != {"c", "y", "x"}:
        return f"it has the axes {', '.join(map(str, image.dims))}"
    count = image.sizes["c"]
    names = [str(name).strip() for name in image.coords["c"].to_numpy()] if "c" in image.coords else []
    if count not in COLOURS or any(not NEUTRAL.fullmatch(name) for name in names):
        return f"its {count} channel{'s' if count > 1 else ''} ({listed(names[:4]) or 'unnamed'}) are single stains"
    return "" if image.dtype == np.uint8 or image.dtype.kind == "f" else f"its values are {image.dtype}, not 8-bit"
