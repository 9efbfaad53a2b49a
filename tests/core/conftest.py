"""Small sections in memory, half cancer, with the signal in genes and in the image."""

from typing import Protocol

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.cards import Recipe
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression

SIDE, GENES, DIM = 9, 30, 6


class MakeData(Protocol):
    def __call__(self, patient: str, seed: int, *, image: bool = True) -> SectionData: ...


@pytest.fixture
def make_data() -> MakeData:
    def make(patient: str, seed: int, *, image: bool = True) -> SectionData:
        rng = np.random.default_rng(seed)
        rows, columns = (axis.ravel() for axis in np.mgrid[:SIDE, :SIDE])
        labels = (columns < SIDE // 2 + rng.integers(0, 2)).astype(np.int64)
        rates = np.full((SIDE**2, GENES), 4.0)
        rates[np.ix_(labels == 1, range(4))] = 9.0
        values = rng.normal(0, 1, (SIDE**2, DIM)).astype(np.float32)
        values[:, 0] += 2.0 * labels
        return SectionData(
            id=f"{patient}{seed}",
            patient=patient,
            platform="st",
            identity=f"made-of-{seed}",
            label_source="made",
            pitch_um=200.0,
            spot_ids=tuple(f"{x}x{y}" for x, y in zip(columns, rows, strict=True)),
            xy_um=np.column_stack([columns, rows]) * 200.0,
            labels=labels,
            expression=Expression.from_counts(
                sparse.csr_matrix(rng.poisson(rates)), [f"G{number}" for number in range(GENES)]
            ),
            image=values if image else None,
            image_coverage=np.ones(SIDE**2, dtype=np.float32) if image else None,
            recipe=Recipe(input_px=8, um_per_px=14.0, dim=DIM) if image else None,
        )

    return make
