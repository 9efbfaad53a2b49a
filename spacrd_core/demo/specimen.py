"""A specimen: one patient's tissue with its genes and its H&E, before any platform has measured it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.demo.genes import Programmes
from spacrd_core.demo.stain import Picture, render
from spacrd_core.demo.tissue import Tissue, draw_tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Specimen:
    """A section of one patient's tissue, on the slide of a platform.

    Attributes
    ----------
    name, patient
        Of the section, and of whom it is.
    programmes
        What the platform sees of this patient's genes.
    picture, um_per_px
        The H&E of the frame, its top-left corner at (0, 0) um.
    seed
        Of whatever chance the measurement adds.
    """

    name: str
    patient: str
    tissue: Tissue
    programmes: Programmes
    picture: Picture
    um_per_px: float
    seed: list[int]

    @property
    def size_px(self) -> NDArray[np.int64]:
        """Width and height of the picture."""
        return np.array(self.picture.shape[1::-1])


def draw_specimen(number: int, platform: str, *, seed: int, radius_um: float, um_per_px: float) -> Specimen:
    """Return the specimen of a patient.

    Chance is drawn apart for what all patients share, for what a platform does, and for each side of a patient.
    """
    of_tissue, of_genes, of_stain = np.random.default_rng([seed, number]).spawn(3)
    tissue = draw_tissue(of_tissue, radius_um=radius_um)
    shared = Programmes.draw(np.random.default_rng(seed))
    seen = shared.platform(np.random.default_rng([seed, *platform.encode()]))
    return Specimen(
        name=f"S{number}",
        patient=f"P{number}",
        tissue=tissue,
        programmes=seen.patient(of_genes),
        picture=render(tissue, of_stain, um_per_px=um_per_px),
        um_per_px=um_per_px,
        seed=[seed, number, *platform.encode()],
    )
