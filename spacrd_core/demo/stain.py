"""Simulated H&E: haematoxylin in nuclei, eosin in fibres and cytoplasm, no stain in fat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spacrd_core.demo.nuclei import Nuclei
from spacrd_core.demo.texture import cells, enlarge, fibres, noise
from spacrd_core.demo.tissue import FAT, FRAME_UM, GLANDS, IMMUNE, STROMA, TUMOUR, Tissue

Plane = NDArray[np.float32]
Picture = NDArray[np.uint8]

COARSE_UM = 25.0  # sampling distance of the tissue fields, which are smooth and interpolated
# Optical density in red, green and blue: Macenko et al., ISBI 2009, "A method for normalizing histology slides".
HAEMATOXYLIN = np.array([0.56, 0.72, 0.41])
EOSIN = np.array([0.22, 0.80, 0.56])


@dataclass(frozen=True)
class Staining:
    """Stain strength and hue of one laboratory; it differs between patients."""

    haematoxylin: NDArray[np.float64]
    eosin: NDArray[np.float64]
    background: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Staining:
        """Return a random staining."""
        return cls(
            HAEMATOXYLIN * rng.uniform(0.85, 1.2) * rng.normal(1.0, 0.06, 3),
            EOSIN * rng.uniform(0.75, 1.1) * rng.normal(1.0, 0.06, 3),
            np.array([0.925, 0.915, 0.935]) + rng.uniform(-0.02, 0.03, 3),
        )

    def picture(self, haematoxylin: Plane, eosin: Plane) -> Picture:
        """Return 8-bit RGB of two stains by the Beer-Lambert law."""
        picture = np.empty((*eosin.shape, 3), np.uint8)
        for channel, background in enumerate(self.background):
            density = haematoxylin * np.float32(self.haematoxylin[channel]) + eosin * np.float32(self.eosin[channel])
            picture[..., channel] = 255 * np.minimum(np.float32(background) * np.exp(-density), 1.0)
        return picture


def render(tissue: Tissue, rng: np.random.Generator, *, um_per_px: float = 2.0) -> Picture:
    """Return the H&E image of the whole array frame; its top left corner is at (0, 0) um."""
    staining = Staining.draw(rng)
    width, height = (round(side / um_per_px) for side in FRAME_UM)
    haematoxylin = np.zeros((height, width), np.float32)
    eosin = 0.03 * np.abs(noise(rng, (height, width), grain=500)) + 0.01 * noise(rng, (height, width), grain=3)
    box = tuple(slice(round(low / um_per_px), round(high / um_per_px)) for low, high in tissue.extent_um)
    tissue_haematoxylin, tissue_eosin = _stains(tissue, rng, box, um_per_px)
    haematoxylin[box] = tissue_haematoxylin
    eosin[box] += tissue_eosin
    return staining.picture(haematoxylin, eosin)


def _stains(tissue: Tissue, rng: np.random.Generator, box: tuple[slice, ...], um_per_px: float) -> tuple[Plane, Plane]:
    """Return the haematoxylin and the eosin of a box of the image."""
    inside, shares = _composition(tissue, rng, box, um_per_px)
    shape = inside.shape
    angle = rng.uniform(0.0, np.pi)
    strands = fibres(rng, shape, um_per_px=um_per_px, angle=angle)
    to_acinus, _ = cells(rng, (shares[GLANDS] > 0.05) & inside, um_per_px=um_per_px, spacing_um=58.0)
    _, to_membrane = cells(rng, (shares[FAT] > 0.05) & inside, um_per_px=um_per_px, spacing_um=80.0)
    ring = np.exp(-(((to_acinus - 18.0) / 8.0) ** 2))  # an acinus: epithelium around a lumen
    lumen = np.clip(1.5 - to_acinus / 7.0, 0.0, 1.0)
    membrane = np.exp(-((to_membrane / 6.0) ** 2))
    grain = 1.0 + 0.2 * noise(rng, shape, grain=1.5)

    epithelium = shares[GLANDS] * (0.3 + 0.7 * ring) * (1.0 - lumen)
    crowding = np.clip(0.85 + 0.25 * noise(rng, shape, grain=450 / um_per_px), 0.3, 1.0)
    density = inside * crowding * (1.0 - shares[GLANDS] * (1.0 - 0.95 * ring))
    nuclei = Nuclei.draw(rng, shares, density, um_per_px=um_per_px)
    ink = nuclei.paint(rng, shape, um_per_px=um_per_px, angle=angle)
    haematoxylin = (0.22 * shares[TUMOUR] + 0.12 * shares[IMMUNE] + 0.2 * epithelium + 0.03) * grain + 1.1 * ink
    collagen = shares[STROMA] + 0.8 * shares[GLANDS] * (1.0 - ring) * (1.0 - lumen)
    fibre = collagen * (0.25 + 0.5 * strands) + 0.75 * shares[FAT] * membrane
    eosin = fibre + 0.40 * shares[TUMOUR] + 0.30 * shares[IMMUNE] + 0.45 * epithelium
    return inside * haematoxylin, inside * eosin * grain


def _composition(
    tissue: Tissue, rng: np.random.Generator, box: tuple[slice, ...], um_per_px: float
) -> tuple[NDArray[np.bool_], Plane]:
    """Return the tissue mask with a frayed edge, and the shares (classes x height x width) with tumour nests."""
    shape = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    y, x = (_step_centres(part.start * um_per_px, part.stop * um_per_px) for part in box)
    x_um, y_um = np.meshgrid(x, y)
    inside = enlarge(tissue.depth_um(x_um, y_um), shape) + 14 * noise(rng, shape, grain=60 / um_per_px) > 0
    shares = np.stack([enlarge(plane, shape).clip(0.0, 1.0) for plane in np.moveaxis(tissue.shares(x_um, y_um), -1, 0)])
    septa = np.clip(1.5 - np.abs(noise(rng, shape, grain=170 / um_per_px)) / 0.14, 0.0, 0.9) * shares[TUMOUR]
    shares[TUMOUR] -= septa
    shares[STROMA] += septa
    return inside, shares


def _step_centres(low: float, high: float) -> NDArray[np.float64]:
    """Return the centres of equal steps of about ``COARSE_UM``; they match pixel centres after enlarging."""
    edges = np.linspace(low, high, round((high - low) / COARSE_UM) + 1)
    return np.asarray((edges[1:] + edges[:-1]) / 2)
