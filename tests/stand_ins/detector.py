"""A small detector in a folder, for tests that copy or upload it."""

from pathlib import Path

import numpy as np
import torch
from scipy import sparse

from spacrd_core.cards import Recipe
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detector.detector import Detector
from spacrd_core.genes.expression import Expression
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.model.options import HeadOptions
from spacrd_core.plugins import Plugins

SPOTS, DIM = 36, 3


def made_section(patient: str, seed: int, licence: str = "") -> SectionData:
    """Return 36 spots, every second one cancer; with an image if the encoder has a licence."""
    rng = np.random.default_rng(seed)
    labels = np.arange(SPOTS) % 2
    counts = rng.poisson(np.where(labels[:, None] == 1, 8.0, 3.0) * np.ones(6)).astype(float)
    image = rng.normal(labels[:, None], 1.0, (SPOTS, DIM)).astype(np.float32) if licence else None
    return SectionData(
        id=f"{patient}1",
        patient=patient,
        platform="st",
        identity=f"made{seed}",
        label_source="made",
        pitch_um=200.0,
        spot_ids=tuple(map(str, range(SPOTS))),
        xy_um=np.column_stack(np.divmod(np.arange(SPOTS), 6)) * 200.0,
        labels=labels.astype(np.int64),
        expression=Expression.from_counts(sparse.csr_matrix(counts), [f"G{gene}" for gene in range(6)]),
        image=image,
        image_coverage=np.ones(SPOTS, dtype=np.float32) if licence else None,
        recipe=Recipe(input_px=8, um_per_px=14.0, dim=DIM, licence=licence) if licence else None,
    )


def made_detector(plugins: Plugins, *, licence: str = "", patients: str = "ABC", seed: int = 42) -> Detector:
    """Return a linear detector of a few patients, genes-only unless its encoder has a licence."""
    options = TrainOptions(head=HeadOptions(name="linear"), seeds=1, first_seed=seed)
    sections = [made_section(patient, number, licence) for number, patient in enumerate(patients)]
    trained = train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))
    return Detector.from_training(trained, options, sections, "uni" if licence else "")


def written(detector: Detector, folder: Path) -> Path:
    """Return the folder a detector was saved to."""
    detector.save(folder)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of the files in a folder, by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}
