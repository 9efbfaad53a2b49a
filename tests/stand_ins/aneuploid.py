"""Epithelium in stroma with genes of the whole genome; part of the epithelium may have gained chromosome arms."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from spacrd_core.arrays import Array
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.copy_number.positions import UNPLACED, human_positions
from spacrd_core.genes.expression import Expression
from spacrd_core.prior.read import with_evidence
from stand_ins.carcinoma import LISTS, NEGATIVE, POSITIVE

SIDE, PITCH_UM, GENES = 20, 100.0, 4000
MEAN_COUNTS = 1.0  # of a gene in a spot
TISSUE_SPREAD = 0.5  # natural logarithm: how far the two tissues differ in a gene


def epithelium() -> Array:
    """Return which spots are epithelium: the left half."""
    return np.arange(SIDE**2) % SIDE < SIDE // 2


def clone() -> Array:
    """Return which spots carry the gains: the upper half of the epithelium."""
    return epithelium() & (np.arange(SIDE**2) // SIDE < SIDE // 2)


def symbols() -> list[str]:
    """Return the gene lists, and genes drawn from the whole genome."""
    names = human_positions().row_of.index
    others = [str(name) for name in names if not str(name).startswith("ENSG")]
    listed = [*POSITIVE, *NEGATIVE]
    drawn = np.random.default_rng(0).permutation(sorted(set(others) - set(listed)))[:GENES]
    return [*listed, *drawn.tolist()]


def aneuploid_expression(
    copies: Mapping[str, float], *, purity: float = 1.0, depth: float = MEAN_COUNTS, seed: int = 0
) -> Expression:
    """Return expression in which the clone has further copies of arms, such as ``{"8q": 1}``, in a share of cells."""
    rng, names = np.random.default_rng(seed), symbols()
    inside, has_gain = epithelium(), clone()
    levels = depth * rng.lognormal(0, 1, len(names)) / np.exp(0.5)
    difference = rng.normal(0, TISSUE_SPREAD, len(names))
    difference[: len(POSITIVE)], difference[len(POSITIVE) : len(POSITIVE) + len(NEGATIVE)] = 0.7, -0.7
    dosage = 1 + purity * np.array([copies.get(arm, 0.0) for arm in arms_of(names)]) / 2
    rates = levels * np.exp(np.where(inside, 0.5, -0.5)[:, None] * difference)
    rates[has_gain] *= dosage
    return Expression.from_counts(sparse.csr_matrix(rng.poisson(rates)), names)


def arms_of(names: list[str]) -> list[str]:
    """Return the arm of each gene; '' without a place."""
    positions = human_positions()
    rows = positions.row_of.reindex(names, fill_value=UNPLACED)
    return [str(positions.arm[row]) if row != UNPLACED else "" for row in rows]


def aneuploid_section(expression: Expression) -> SectionData:
    """Return a section with this expression, and what it says of itself."""
    spot = np.arange(SIDE**2)
    section = SectionData(
        id="S1",
        patient="P1",
        platform="visium",
        identity="made",
        label_source="made",
        pitch_um=PITCH_UM,
        spot_ids=tuple(map(str, spot)),
        xy_um=PITCH_UM * np.column_stack([spot % SIDE, spot // SIDE]).astype(float),
        labels=clone().astype(np.int64),
        expression=expression,
        image=None,
        image_coverage=None,
        recipe=None,
    )
    return with_evidence(section, LISTS)
