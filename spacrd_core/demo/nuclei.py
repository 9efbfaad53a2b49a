"""Nuclei of simulated tissue, drawn as small soft ellipses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spacrd_core.demo.tissue import FAT, GLANDS, IMMUNE, STROMA, TUMOUR

Plane = NDArray[np.float32]
Values = NDArray[np.float64]

SPACING_UM = 8.5  # between possible positions of nuclei
RADIUS_PX = 4  # half width of the window that a nucleus is drawn in


@dataclass(frozen=True)
class NucleusStyle:
    """The nuclei of one tissue class: fraction of positions taken, radius in um and its spread, shape, darkness."""

    occupancy: float
    radius_um: float
    spread: float
    elongation: float
    darkness: float


STYLES = {
    TUMOUR: NucleusStyle(0.62, 4.1, 0.22, 1.25, 1.0),  # crowded, large and uneven
    STROMA: NucleusStyle(0.13, 3.0, 0.15, 2.4, 0.9),  # sparse spindles along the fibres
    FAT: NucleusStyle(0.03, 2.6, 0.10, 2.0, 0.9),
    IMMUNE: NucleusStyle(0.72, 2.9, 0.08, 1.05, 1.5),  # small, round, dark
    GLANDS: NucleusStyle(0.70, 3.6, 0.10, 1.2, 1.1),  # even, in rings
}
SPINDLES = (STROMA, FAT)


@dataclass(frozen=True)
class Nuclei:
    """Nuclei at subpixel positions, with their tissue class."""

    rows: Values
    columns: Values
    class_indices: NDArray[np.intp]

    @classmethod
    def draw(cls, rng: np.random.Generator, shares: Plane, density: Plane, *, um_per_px: float) -> Nuclei:
        """Return nuclei for tissue with these shares (classes x height x width), thinned by ``density`` (0 to 1)."""
        rows, columns = _jittered_grid(rng, density.shape, SPACING_UM / um_per_px)
        pixels = rows.astype(int), columns.astype(int)
        cumulative = shares[:, *pixels].cumsum(axis=0)
        class_indices = (rng.random(len(rows)) * cumulative[-1] > cumulative).sum(axis=0).clip(max=len(STYLES) - 1)
        present = rng.random(len(rows)) < _style_values("occupancy")[class_indices] * density[pixels]
        return cls(rows[present], columns[present], class_indices[present])

    def paint(self, rng: np.random.Generator, shape: tuple[int, ...], *, um_per_px: float, angle: float) -> Plane:
        """Return the haematoxylin density, about 1 inside a nucleus; spindles are perpendicular to ``angle``."""
        radius = _style_values("radius_um")[self.class_indices] / um_per_px
        radius *= np.exp(rng.normal(0.0, _style_values("spread")[self.class_indices]))
        stretch = np.sqrt(_style_values("elongation")[self.class_indices])
        along = angle + np.pi / 2 + rng.normal(0.0, 0.3, len(radius))
        turn = np.where(np.isin(self.class_indices, SPINDLES), along, rng.uniform(0.0, np.pi, len(radius)))
        darkness = _style_values("darkness")[self.class_indices] * rng.uniform(0.75, 1.15, len(radius))

        down, right = np.mgrid[-RADIUS_PX : RADIUS_PX + 1, -RADIUS_PX : RADIUS_PX + 1].reshape(2, -1)
        rows, columns = self.rows.astype(int)[:, None] + down, self.columns.astype(int)[:, None] + right
        dy, dx = (rows - self.rows[:, None]).astype(np.float32), (columns - self.columns[:, None]).astype(np.float32)
        cosine, sine, stretch = (column[:, None].astype(np.float32) for column in (np.cos(turn), np.sin(turn), stretch))
        distance = np.hypot((dx * cosine + dy * sine) / stretch, (dy * cosine - dx * sine) * stretch)
        ink = darkness[:, None] * np.clip(2.5 - 2.0 * distance / radius[:, None], 0.0, 1.0)
        plane = np.zeros(shape, np.float32)
        np.maximum.at(plane, (rows, columns), ink.astype(np.float32))
        return plane


def _jittered_grid(rng: np.random.Generator, shape: tuple[int, ...], step: float) -> tuple[Values, Values]:
    edge = RADIUS_PX + step
    rows, columns = np.mgrid[edge : shape[0] - edge : step, edge : shape[1] - edge : step].reshape(2, -1)
    jitter = rng.uniform(-0.4, 0.4, (2, rows.size)) * step
    return rows + jitter[0], columns + jitter[1]


def _style_values(name: str) -> Values:
    return np.array([getattr(STYLES[tissue_class], name) for tissue_class in sorted(STYLES)])
