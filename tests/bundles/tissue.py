"""A synthetic tissue that is defined everywhere: a dark square on a lighter ground, in um, and its marker genes.

Colours and expression are functions of the position in um, so that the same tissue can be imaged and measured at any
resolution, rotated or mirrored, by any platform.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SYMBOLS = ("ERBB2", "KRT8", "EPCAM", "GRB7", "COL1A1", "DCN", "LUM", "VIM", "ACTB", "GAPDH", "B2M", "RPLP0")
IDS = tuple(f"ENSG{number:011d}" for number in range(1, len(SYMBOLS) + 1))
MARKERS = 4  # the first four genes are higher in the square, the next four lower


@dataclass(frozen=True)
class Pose:
    """The map of an image to the tissue: um -> px by mirroring, rotation (degrees), scaling and translation.

    ``margin_um`` of background surround the tissue, so that all of it is in the image at any rotation.
    """

    um_per_px: float = 0.5
    degrees: float = 0.0
    mirrored: bool = False
    margin_um: float = 150.0

    def matrix(self, tissue: Tissue) -> Floats:
        """Return the 3 x 3 matrix that maps tissue um ``(x, y, 1)`` to image px."""
        angle = np.radians(self.degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = turn @ np.diag([-1.0 if self.mirrored else 1.0, 1.0]) / self.um_per_px
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * tissue.size_um @ linear.T
        matrix = np.eye(3)
        matrix[:2, :2] = linear
        matrix[:2, 2] = self.margin_um / self.um_per_px - corners.min(axis=0)
        return matrix

    def size_px(self, tissue: Tissue) -> tuple[int, int]:
        """Return the width and height of the image."""
        corners = self.to_px(tissue, np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * tissue.size_um)
        width, height = np.ceil(corners.max(axis=0) + self.margin_um / self.um_per_px).astype(int)
        return int(width), int(height)

    def to_px(self, tissue: Tissue, points_um: Floats) -> Floats:
        """Return tissue positions (n x 2, um) in image px."""
        matrix = self.matrix(tissue)
        return np.asarray(points_um @ matrix[:2, :2].T + matrix[:2, 2])

    def to_um(self, tissue: Tissue, points_px: Floats) -> Floats:
        """Return image points (n x 2, px) in um of the tissue."""
        matrix = np.linalg.inv(self.matrix(tissue))
        return np.asarray(points_px @ matrix[:2, :2].T + matrix[:2, 2])


@dataclass(frozen=True)
class Tissue:
    """A rectangle of tissue from (0, 0) to ``size_um``, with a dark square ``left, top, right, bottom`` in um."""

    size_um: tuple[float, float] = (3000.0, 2400.0)
    square_um: tuple[float, float, float, float] = (600.0, 500.0, 1600.0, 1500.0)
    symbols: tuple[str, ...] = SYMBOLS
    ids: tuple[str, ...] = IDS
    waves: Floats = field(default_factory=lambda: np.random.default_rng(5).normal(0, 1 / 25, (8, 2)), repr=False)

    def covers(self, points_um: Floats) -> NDArray[np.bool_]:
        """Return the mask of points (n x 2, um) on tissue."""
        return np.asarray(((points_um >= 0) & (points_um < self.size_um)).all(axis=-1))

    def dark(self, points_um: Floats) -> NDArray[np.bool_]:
        """Return the mask of points in the square."""
        left, top, right, bottom = self.square_um
        return np.asarray(((points_um >= (left, top)) & (points_um < (right, bottom))).all(axis=-1))

    def colours(self, points_um: Floats) -> NDArray[np.uint8]:
        """Return the RGB of points: white background, pink tissue, the violet square, and a fine texture on both."""
        texture = np.cos(points_um @ self.waves.T).sum(axis=-1, keepdims=True) * 6
        ground = np.where(self.dark(points_um)[..., None], (120.0, 60.0, 150.0), (232.0, 160.0, 205.0))
        shown = np.where(self.covers(points_um)[..., None], ground + texture, 245.0)
        return np.clip(np.rint(shown), 0, 255).astype(np.uint8)

    def picture(self, pose: Pose) -> NDArray[np.uint8]:
        """Return the image (height x width x 3) at a pose."""
        width, height = pose.size_px(self)
        rows = []
        for top in range(0, height, 256):
            y, x = np.mgrid[top : min(top + 256, height), 0:width] + 0.5
            rows.append(self.colours(pose.to_um(self, np.stack([x, y], axis=-1).astype(float))))
        return np.concatenate(rows)

    def counts(self, points_um: Floats, *, mean: float, seed: int = 0) -> NDArray[np.int32]:
        """Return counts (points x genes) of a mean; markers are eightfold in the square, the next four outside."""
        rates = np.full((len(points_um), len(self.symbols)), float(mean))
        inside = self.dark(points_um)
        rates[np.ix_(inside, np.arange(MARKERS))] *= 8
        rates[np.ix_(~inside, np.arange(MARKERS, 2 * MARKERS))] *= 8
        return np.random.default_rng(seed).poisson(rates * self.covers(points_um)[:, None]).astype(np.int32)
