"""The demo's cohort: a few patients, a section each, with tissue, stain and genes that follow one another."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.demo.genes import Programmes
from spacrd_core.demo.stain import render
from spacrd_core.demo.tissue import CLASSES, Tissue, draw_tissue
from spacrd_core.demo.write_st import PITCHES, DemoSection, write_section

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = ("path", "name", "patient", "reader", "labels", "image")
PITCH_UM = 200.0
SPOT_UM = 100.0
UNDETERMINED = "undetermined"
CLEAR = 0.5  # a spot is labelled with the class that fills more than this share of it


def write_demo_cohort(folder: Path, *, patients: int = 4, seed: int = 7) -> Path:
    """Write a cohort of legacy ST sections and return its table, ``cohort.csv``, which ``spacrd ingest`` takes.

    The same seed gives the same sections, whatever the number of patients.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def write(number: int) -> dict[str, str]:
        return write_section(folder, draw_section(number, seed=seed))

    with ThreadPoolExecutor(max_workers=2) as pool:  # numpy and Pillow compute outside the interpreter's lock
        rows = list(pool.map(write, range(1, patients + 1)))
    table = folder / "cohort.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return table


def draw_section(number: int, *, seed: int) -> DemoSection:
    """Return the section of one patient."""
    rng = np.random.default_rng([seed, number])
    tissue = draw_tissue(rng)
    places, shares = _spots(tissue, rng)
    programmes = Programmes.draw(np.random.default_rng(seed)).patient(rng)
    return DemoSection(
        name=f"S{number}",
        patient=f"P{number}",
        places=places,
        counts=programmes.counts(rng, shares),
        labels=[CLASSES[row.argmax()] if row.max() > CLEAR else UNDETERMINED for row in shares],
        picture=render(tissue, rng),
    )


def _spots(tissue: Tissue, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the array positions of the spots under tissue and what each measures."""
    x, y = np.mgrid[2 : PITCHES[0] + 1, 2 : PITCHES[1] + 1].reshape(2, -1).astype(float)
    places = np.column_stack([x, y]) + rng.uniform(-0.15, 0.15, 2) + rng.normal(0.0, 0.015, (x.size, 2))
    centres = (places - 1.0) * PITCH_UM
    turns = np.arange(12) * np.pi * (3 - np.sqrt(5))  # a sunflower: points spread evenly over the spot's disc
    disc = SPOT_UM / 2 * np.sqrt((np.arange(12) + 0.5) / 12)[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
    x_um, y_um = np.moveaxis(centres[:, None, :] + disc, -1, 0)
    covered = (tissue.depth_um(x_um, y_um) > 0).mean(axis=1) > 0.5
    return places[covered], tissue.shares(x_um[covered], y_um[covered]).mean(axis=1)
