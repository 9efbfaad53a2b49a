"""A generated cohort of Visium sections of the usual size, each with its own tissue, counts and small H&E.

Counts follow the gene lists of the built-in detector, and every other patient's tumour has gained chromosome arms.
"""

import csv
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from bundles.tenx import H5Variant
from bundles.tissue import Floats, Pose, Tissue
from bundles.visium import VisiumBundle
from numpy.typing import NDArray
from stand_ins.aneuploid import arms_of, symbols
from stand_ins.carcinoma import EPITHELIAL, NEGATIVE, POSITIVE

from spacrd_core.demo.cohort import COHORT_COLUMNS
from spacrd_core.demo.stain import Picture, render
from spacrd_core.demo.tissue import FRAME_UM, GLANDS, TISSUE_CLASSES, TUMOUR, draw_tissue
from spacrd_core.demo.tissue import Tissue as DemoTissue

UM_PER_PX = 11.0  # an H&E of about 600 px
SPOT_AREA_UM2 = 100.0 * 87.0
SECTIONS_PER_PATIENT = 2
MEAN_COUNTS = 4000.0  # of a spot
GAINED = {"8q": 2.0, "1q": 1.0, "16q": -0.8}


def write_cohort(folder: Path, sections: int, *, spots: int = 3500, genes: int = 2400) -> Path:
    """Write sections of about this number of spots; return the table that ``spacrd ingest --cohort`` reads."""
    rows = [write_section(folder, number, spots=spots, genes=genes) for number in range(1, sections + 1)]
    table = folder / "cohort.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COHORT_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return table


def write_section(folder: Path, number: int, *, spots: int, genes: int) -> dict[str, str]:
    """Write a section and return its row in the table, with paths relative to the folder."""
    patient = (number - 1) // SECTIONS_PER_PATIENT + 1
    drawn = draw_tissue(np.random.default_rng([7, number]), radius_um=float(np.sqrt(spots * SPOT_AREA_UM2 / np.pi)))
    names = tuple(symbols()[:genes])
    ids = tuple(f"ENSG{99_000_000_000 + gene}" for gene in range(len(names)))
    tissue = DrawnTissue(size_um=FRAME_UM, symbols=names, ids=ids, drawn=drawn, number=number, patient=patient)
    pose = Pose(um_per_px=UM_PER_PX, margin_um=0.0)
    bundle = VisiumBundle(
        tissue=tissue,
        pose=pose,
        rows=78,
        columns=128,
        corner_um=(25.0, 50.0),
        images=(),
        variant=H5Variant(compression="gzip"),
        outs=True,
    )
    name = f"S{number:03d}"
    bundle.write(folder / name)
    bundle.write_image(folder / name / "tissue.jpg")
    return {"path": f"{name}/outs", "name": name, "patient": f"P{patient:03d}", "image": f"{name}/tissue.jpg"}


@dataclass(frozen=True, kw_only=True)
class DrawnTissue(Tissue):
    """A tissue of the demo, with the genes of a cohort."""

    drawn: DemoTissue
    number: int
    patient: int
    seeds: dict[str, int] = field(default_factory=lambda: {"cohort": 11, "patient": 12, "section": 13})

    def covers(self, points_um: Floats) -> NDArray[np.bool_]:
        """Return the mask of points on tissue."""
        return np.asarray(self.drawn.depth_um(*points_um.T) > 0)

    def picture(self, pose: Pose) -> Picture:
        """Return the H&E."""
        return render(self.drawn, np.random.default_rng([self.seeds["section"], self.number]), um_per_px=pose.um_per_px)

    def counts(self, points_um: Floats, *, mean: float = MEAN_COUNTS, seed: int = 0) -> NDArray[np.int32]:
        """Return counts, spots x genes: none outside the tissue. ``mean`` and ``seed`` are the cohort's own."""
        del mean, seed
        rng = np.random.default_rng([self.seeds["section"], self.number, 1])
        on_tissue = self.covers(points_um)
        rates = self.drawn.shares(*points_um[on_tissue].T) @ self.profiles
        rates *= MEAN_COUNTS / rates.sum(axis=1).mean() * rng.lognormal(0, 0.45, (len(rates), 1))
        counts = np.zeros((len(points_um), len(self.symbols)), dtype=np.int32)
        counts[on_tissue] = rng.poisson(rates)
        return counts

    @cached_property
    def profiles(self) -> Floats:
        """The expression of every gene in every class of tissue: of the cohort, changed by the patient."""
        shape = (len(TISSUE_CLASSES), len(self.symbols))
        cohort = np.random.default_rng(self.seeds["cohort"])
        logs = cohort.normal(0, 1.3, shape[1]) + cohort.normal(0, 0.4, shape)
        listed = np.isin(self.symbols, POSITIVE).astype(float) - np.isin(self.symbols, NEGATIVE)
        logs += np.outer(np.where(np.arange(shape[0]) == TUMOUR, 0.9, -0.5), listed)
        logs[GLANDS] += 1.2 * np.isin(self.symbols, EPITHELIAL)
        patient = np.random.default_rng([self.seeds["patient"], self.patient])
        profiles = np.exp(logs + patient.normal(0, 0.3, shape[1]) + patient.normal(0, 0.2, shape))
        if self.patient % 2:
            profiles[TUMOUR] *= 1 + np.array([GAINED.get(arm, 0.0) for arm in arms_of(list(self.symbols))]) / 2
        return np.asarray(profiles)
