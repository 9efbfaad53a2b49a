"""A simulated tissue: its outline and its composition, as functions of um coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRAME_UM = (6400.0, 6800.0)  # width, height: the 33 x 35 positions of a legacy ST array, 200 um apart
TISSUE_CLASSES = ("invasive cancer", "connective tissue", "adipose tissue", "immune infiltrate", "breast glands")
TUMOUR, STROMA, FAT, IMMUNE, GLANDS = range(len(TISSUE_CLASSES))

FIELD_LENGTH_UM = {TUMOUR: 560.0, FAT: 520.0, IMMUNE: 230.0, GLANDS: 200.0}
MEAN_SHARES = {FAT: 0.16, IMMUNE: 0.10, GLANDS: 0.08}
SHARPNESS = 9.0
WAVES = 48


@dataclass(frozen=True)
class SmoothField:
    """A smooth random field with mean 0 and variance 1: a sum of cosines of random directions."""

    waves: Floats
    phases: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, length_um: float) -> SmoothField:
        """Return a field with a correlation length of about ``length_um``."""
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
        Amplitude (relative to the radius) and phase of the waves that deform the outline of a disc.
    fields, thresholds
        A class prevails where its field is above its threshold.
    """

    centre_um: tuple[float, float]
    radius_um: float
    harmonics: Floats
    fields: dict[int, SmoothField]
    thresholds: dict[int, float]

    def depth_um(self, x_um: Floats, y_um: Floats) -> Floats:
        """Return the distance from the outline; negative outside the tissue."""
        dx, dy = x_um - self.centre_um[0], y_um - self.centre_um[1]
        return self.radius_um * self._outline_factor(np.arctan2(dy, dx)) - np.hypot(dx, dy)

    @property
    def extent_um(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the bounding box of the tissue with a margin: (top, bottom), (left, right)."""
        angle = np.linspace(0, 2 * np.pi, 361)
        reach = self.radius_um * self._outline_factor(angle) + 100.0
        (x, y), (width, height) = self.centre_um, FRAME_UM
        across, down = x + reach * np.cos(angle), y + reach * np.sin(angle)
        return (max(down.min(), 0.0), min(down.max(), height)), (max(across.min(), 0.0), min(across.max(), width))

    def shares(self, x_um: Floats, y_um: Floats) -> Floats:
        """Return the composition of the tissue: one share per class on the last axis; they sum to 1."""
        logits = np.zeros((*np.shape(x_um), len(TISSUE_CLASSES)))
        for tissue_class, field in self.fields.items():
            logits[..., tissue_class] = SHARPNESS * (field(x_um, y_um) - self.thresholds[tissue_class])
        distance_to_front = np.maximum(np.abs(logits[..., TUMOUR]) - 4.0, 0.0)
        logits[..., IMMUNE] -= 4.0 * np.tanh(distance_to_front / 8.0)  # immune cells gather at the tumour front
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True))

    def _outline_factor(self, angle: Floats) -> Floats:
        waves = [size * np.cos((k + 2) * angle + phase) for k, (size, phase) in enumerate(self.harmonics)]
        return np.asarray(1.0 + np.sum(waves, axis=0))


def draw_tissue(rng: np.random.Generator, *, radius_um: float = 1950.0) -> Tissue:
    """Return a random tissue, by default of about 12 mm2, a third to a half of which is tumour."""
    centre = (FRAME_UM[0] / 2 + rng.uniform(-500, 500), FRAME_UM[1] / 2 + rng.uniform(-500, 500))
    radius = radius_um * rng.uniform(0.95, 1.05)
    sizes = rng.uniform(0.3, 1.0, 5) * np.array([0.14, 0.10, 0.06, 0.04, 0.03])
    harmonics = np.column_stack([sizes, rng.uniform(0, 2 * np.pi, 5)])
    fields = {tissue_class: SmoothField.draw(rng, length) for tissue_class, length in FIELD_LENGTH_UM.items()}
    shares = MEAN_SHARES | {TUMOUR: rng.uniform(0.32, 0.5)}
    x_um, y_um = np.meshgrid(np.arange(-radius, radius, 50.0) + centre[0], np.arange(-radius, radius, 50.0) + centre[1])
    inside = np.hypot(x_um - centre[0], y_um - centre[1]) < radius
    thresholds = {
        tissue_class: float(np.quantile(field(x_um, y_um)[inside], 1.0 - shares[tissue_class]))
        for tissue_class, field in fields.items()
    }
    return Tissue(centre, radius, harmonics, fields, thresholds)
