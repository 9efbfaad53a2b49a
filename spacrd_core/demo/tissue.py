"""A generated tissue: where it lies on the array and what it is made of, as fields over um coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRAME_UM = (6400.0, 6800.0)  # width, height: the 33 x 35 array positions of legacy ST, 200 um apart
CLASSES = ("invasive cancer", "connective tissue", "adipose tissue", "immune infiltrate", "breast glands")
TUMOUR, STROMA, FAT, IMMUNE, GLANDS = range(len(CLASSES))

LENGTH_UM = {TUMOUR: 560.0, FAT: 520.0, IMMUNE: 230.0, GLANDS: 200.0}
SHARE = {FAT: 0.16, IMMUNE: 0.10, GLANDS: 0.08}
SHARPNESS = 9.0
WAVES = 48


@dataclass(frozen=True)
class SmoothField:
    """A smooth random function of the plane with mean 0 and variance 1: a sum of cosines of random directions."""

    waves: Floats
    phases: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, length_um: float) -> SmoothField:
        """Return a field that changes over about ``length_um``."""
        return cls(rng.normal(0.0, 1.0 / length_um, (WAVES, 2)), rng.uniform(0.0, 2 * np.pi, WAVES))

    def __call__(self, x_um: Floats, y_um: Floats) -> Floats:
        angle = np.multiply.outer(x_um, self.waves[:, 0]) + np.multiply.outer(y_um, self.waves[:, 1]) + self.phases
        return np.asarray(np.cos(angle).sum(axis=-1) * np.sqrt(2.0 / WAVES))


@dataclass(frozen=True)
class Tissue:
    """A section of tissue.

    Attributes
    ----------
    harmonics
        Amplitude and phase of the waves that make the outline of a disc irregular, relative to its radius.
    thresholds
        The value of a class's field above which the class prevails.
    """

    centre_um: tuple[float, float]
    radius_um: float
    harmonics: Floats
    fields: dict[int, SmoothField]
    thresholds: dict[int, float]

    def depth_um(self, x_um: Floats, y_um: Floats) -> Floats:
        """Return how far inside the outline a point lies; negative outside."""
        dx, dy = x_um - self.centre_um[0], y_um - self.centre_um[1]
        return self.radius_um * self._bulge(np.arctan2(dy, dx)) - np.hypot(dx, dy)

    @property
    def extent_um(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the box the tissue lies in, with a margin: (top, bottom), (left, right)."""
        angle = np.linspace(0, 2 * np.pi, 361)
        reach = self.radius_um * self._bulge(angle) + 100.0
        (x, y), (width, height) = self.centre_um, FRAME_UM
        across, down = x + reach * np.cos(angle), y + reach * np.sin(angle)
        return (max(down.min(), 0.0), min(down.max(), height)), (max(across.min(), 0.0), min(across.max(), width))

    def shares(self, x_um: Floats, y_um: Floats) -> Floats:
        """Return what the tissue is made of: one share a class on the last axis; they add up to 1."""
        logits = np.zeros((*np.shape(x_um), len(CLASSES)))
        for kind, field in self.fields.items():
            logits[..., kind] = SHARPNESS * (field(x_um, y_um) - self.thresholds[kind])
        from_front = np.maximum(np.abs(logits[..., TUMOUR]) - 4.0, 0.0)
        logits[..., IMMUNE] -= 4.0 * np.tanh(from_front / 8.0)  # immune cells gather at the tumour's front
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True))

    def _bulge(self, angle: Floats) -> Floats:
        waves = [size * np.cos((k + 2) * angle + phase) for k, (size, phase) in enumerate(self.harmonics)]
        return np.asarray(1.0 + np.sum(waves, axis=0))


def draw_tissue(rng: np.random.Generator, *, radius_um: float = 1950.0) -> Tissue:
    """Return a random tissue, by default of about 12 mm2, a third to a half of it tumour."""
    centre = (FRAME_UM[0] / 2 + rng.uniform(-500, 500), FRAME_UM[1] / 2 + rng.uniform(-500, 500))
    radius = radius_um * rng.uniform(0.95, 1.05)
    sizes = rng.uniform(0.3, 1.0, 5) * np.array([0.14, 0.10, 0.06, 0.04, 0.03])
    harmonics = np.column_stack([sizes, rng.uniform(0, 2 * np.pi, 5)])
    fields = {kind: SmoothField.draw(rng, length) for kind, length in LENGTH_UM.items()}
    share = SHARE | {TUMOUR: rng.uniform(0.32, 0.5)}
    x_um, y_um = np.meshgrid(np.arange(-radius, radius, 50.0) + centre[0], np.arange(-radius, radius, 50.0) + centre[1])
    inside = np.hypot(x_um - centre[0], y_um - centre[1]) < radius
    thresholds = {
        kind: float(np.quantile(field(x_um, y_um)[inside], 1.0 - share[kind])) for kind, field in fields.items()
    }
    return Tissue(centre, radius, harmonics, fields, thresholds)
