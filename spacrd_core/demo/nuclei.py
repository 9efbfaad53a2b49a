"""Nuclei: how many a tissue has, how large and how dark, drawn as small soft ellipses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spacrd_core.demo.tissue import FAT, GLANDS, IMMUNE, STROMA, TUMOUR

Plane = NDArray[np.float32]
Values = NDArray[np.float64]

SPACING_UM = 8.5  # between the places where a nucleus may stand
REACH_PX = 4  # of the window a nucleus is drawn in


@dataclass(frozen=True)
class Look:
    """The nuclei of one class: the share of places taken, radius in um and its spread, elongation, darkness."""

    taken: float
    radius_um: float
    spread: float
    elongation: float
    darkness: float


LOOKS = {
    TUMOUR: Look(0.62, 4.1, 0.22, 1.25, 1.0),  # crowded, large and uneven
    STROMA: Look(0.13, 3.0, 0.15, 2.4, 0.9),  # sparse spindles along the fibres
    FAT: Look(0.03, 2.6, 0.10, 2.0, 0.9),
    IMMUNE: Look(0.72, 2.9, 0.08, 1.05, 1.5),  # small, round, dark
    GLANDS: Look(0.70, 3.6, 0.10, 1.2, 1.1),  # even, in rings
}
SPINDLES = (STROMA, FAT)


@dataclass(frozen=True)
class Nuclei:
    """Nuclei at subpixel places, with their class."""

    rows: Values
    columns: Values
    kinds: NDArray[np.intp]

    @classmethod
    def draw(cls, rng: np.random.Generator, shares: Plane, allowed: Plane, *, um_per_px: float) -> Nuclei:
        """Return nuclei of tissue with these shares (classes x height x width), where ``allowed`` is not 0."""
        rows, columns = _places(rng, allowed.shape, SPACING_UM / um_per_px)
        here = rows.astype(int), columns.astype(int)
        upto = shares[:, *here].cumsum(axis=0)
        kinds = (rng.random(len(rows)) * upto[-1] > upto).sum(axis=0).clip(max=len(LOOKS) - 1)
        kept = rng.random(len(rows)) < _looks("taken")[kinds] * allowed[here]
        return cls(rows[kept], columns[kept], kinds[kept])

    def paint(self, rng: np.random.Generator, shape: tuple[int, ...], *, um_per_px: float, angle: float) -> Plane:
        """Return the haematoxylin of the nuclei, about 1 inside one; spindles lie across ``angle``."""
        radius = _looks("radius_um")[self.kinds] / um_per_px
        radius *= np.exp(rng.normal(0.0, _looks("spread")[self.kinds]))
        stretch = np.sqrt(_looks("elongation")[self.kinds])
        along = angle + np.pi / 2 + rng.normal(0.0, 0.3, len(radius))
        turn = np.where(np.isin(self.kinds, SPINDLES), along, rng.uniform(0.0, np.pi, len(radius)))
        darkness = _looks("darkness")[self.kinds] * rng.uniform(0.75, 1.15, len(radius))

        down, right = np.mgrid[-REACH_PX : REACH_PX + 1, -REACH_PX : REACH_PX + 1].reshape(2, -1)
        rows, columns = self.rows.astype(int)[:, None] + down, self.columns.astype(int)[:, None] + right
        dy, dx = (rows - self.rows[:, None]).astype(np.float32), (columns - self.columns[:, None]).astype(np.float32)
        cosine, sine, stretch = (column[:, None].astype(np.float32) for column in (np.cos(turn), np.sin(turn), stretch))
        reach = np.hypot((dx * cosine + dy * sine) / stretch, (dy * cosine - dx * sine) * stretch)
        ink = darkness[:, None] * np.clip(2.5 - 2.0 * reach / radius[:, None], 0.0, 1.0)
        plane = np.zeros(shape, np.float32)
        np.maximum.at(plane, (rows, columns), ink.astype(np.float32))
        return plane


def _places(rng: np.random.Generator, shape: tuple[int, ...], step: float) -> tuple[Values, Values]:
    edge = REACH_PX + step
    rows, columns = np.mgrid[edge : shape[0] - edge : step, edge : shape[1] - edge : step].reshape(2, -1)
    jitter = rng.uniform(-0.4, 0.4, (2, rows.size)) * step
    return rows + jitter[0], columns + jitter[1]


def _looks(name: str) -> Values:
    return np.array([getattr(LOOKS[kind], name) for kind in sorted(LOOKS)])
