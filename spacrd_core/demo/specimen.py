"""A specimen: one patient's tissue with its gene programmes and H&E, before measurement."""

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
        Ids of section and patient.
    programmes
        The patient's expression programmes as the platform measures them.
    picture, um_per_px
        The H&E of the frame; its top left corner is at (0, 0) um.
    seed
        Seed for the noise of the measurement.
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

    Separate random generators are used for the shared programmes, the platform, and the patient's tissue, genes and
    stain.
    """
    tissue_rng, gene_rng, stain_rng = np.random.default_rng([seed, number]).spawn(3)
    tissue = draw_tissue(tissue_rng, radius_um=radius_um)
    shared = Programmes.draw(np.random.default_rng(seed))
    measured = shared.for_platform(np.random.default_rng([seed, *platform.encode()]))
    return Specimen(
        name=f"S{number}",
        patient=f"P{number}",
        tissue=tissue,
        programmes=measured.for_patient(gene_rng),
        picture=render(tissue, stain_rng, um_per_px=um_per_px),
        um_per_px=um_per_px,
        seed=[seed, number, *platform.encode()],
    )
