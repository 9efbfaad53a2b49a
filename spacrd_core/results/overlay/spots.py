"""Spots of a picture: one shape, drawn once per position within a px and placed at every spot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from spacrd_core.results.colours import UNCERTAIN_COLOUR
from spacrd_core.results.overlay.style import UNCERTAIN_POINTS, px

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from spacrd_core.section.section import SpotShape

OPACITY = 0.75
PHASES = 8  # positions within a px along each axis
EDGE_PX = px(UNCERTAIN_POINTS)


@dataclass(frozen=True)
class Footprint:
    """The shape of every spot, its width in px, the rotation of a square in radians, and the opacity."""

    shape: SpotShape
    width: float
    angle: float = 0.0
    opacity: float = OPACITY

    @property
    def reach(self) -> int:
        """The px that a spot covers at most to each side of the px that holds its centre."""
        half = self.width / 2 + EDGE_PX
        return int(np.ceil(half * (1 if self.shape == "disc" else np.sqrt(2)))) + 1

    def area_mask(self, x: int, y: int) -> Image.Image:
        """Return the opacity of a spot whose centre is ``x`` and ``y`` eighths from the corner of the central px."""
        return self._mask(self._coverage(self.width / 2, x, y))

    def edge_mask(self, x: int, y: int) -> Image.Image:
        """Return the opacity of the edge of a spot, which is centred on the outline of its area."""
        outer, inner = (self._coverage((self.width + step) / 2, x, y) for step in (EDGE_PX, -EDGE_PX))
        return self._mask(outer - inner)

    def _mask(self, coverage: NDArray[np.float64]) -> Image.Image:
        return Image.fromarray(np.rint(255 * self.opacity * coverage).astype(np.uint8))

    def _coverage(self, half: float, x: int, y: int) -> NDArray[np.float64]:
        """Return the share of each px that lies inside a spot of this half width."""
        centres = np.arange(-self.reach, self.reach + 1) + 0.5
        across, down = centres[None, :] - x / PHASES, centres[:, None] - y / PHASES
        if self.shape == "disc":
            return _overlap(np.hypot(across, down), half)
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        return _overlap(across * cosine + down * sine, half) * _overlap(down * cosine - across * sine, half)


def draw_areas(
    picture: Image.Image, points: NDArray[np.float64], footprint: Footprint, colours: NDArray[np.uint8]
) -> None:
    """Draw spots at their points in px, each in its colour (RGB)."""
    _place(picture, points, footprint.reach, footprint.area_mask, map(tuple, colours.tolist()))


def draw_edges(picture: Image.Image, points: NDArray[np.float64], footprint: Footprint) -> None:
    """Draw the edges of uncertain spots at their points in px."""
    _place(picture, points, footprint.reach, footprint.edge_mask, repeat(UNCERTAIN_COLOUR, len(points)))


def _place(
    picture: Image.Image,
    points: NDArray[np.float64],
    reach: int,
    mask: Callable[[int, int], Image.Image],
    colours: Iterable[Any],
) -> None:
    """Place a mask in the colour of each point, to an eighth of a px."""
    drawn = cache(mask)
    eighths = np.rint(points * PHASES).astype(int)
    corners, phases = (eighths // PHASES - reach).tolist(), (eighths % PHASES).tolist()
    for (left, top), phase, colour in zip(corners, phases, colours, strict=True):
        picture.paste(colour, (left, top), drawn(*phase))


def _overlap(distance: NDArray[np.float64], half: float) -> NDArray[np.float64]:
    """Return the share of a px at a distance from the centre that lies within ``half`` of it, along one axis."""
    low, high = np.maximum(distance - 0.5, -half), np.minimum(distance + 0.5, half)
    return np.asarray(np.clip(high - low, 0.0, 1.0))
