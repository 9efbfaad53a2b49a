"""The test of whether gains and losses of chromosome arms coincide with a section's tumour-like tissue.

No label is read. Only genes at permuted places show what chance gives: cell types differ in thousands of genes, and do
so reproducibly, but not by chromosome arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np

from spacrd_core.copy_number.genes import PlacedGenes
from spacrd_core.copy_number.permutation import block_z, sum_z
from spacrd_core.copy_number.pools import GROUPS, Pools
from spacrd_core.copy_number.positions import human_positions
from spacrd_core.copy_number.profile import GeneProfile, log2_ratio
from spacrd_core.copy_number.result import MIN_ARMS, MIN_GENES, SUPPORTED, ArmChange, CopyNumber, Segment
from spacrd_core.prior.score import MAX_DEVIATION
from spacrd_core.prior.standardise import standardise

if TYPE_CHECKING:
    from jaxtyping import Float

    from spacrd_core.arrays import Array
    from spacrd_core.genes.expression import Expression

# An arm counts as changed if it deviates by this many standard errors over spots, and by this many standard deviations
# of as many genes at random places.
MIN_T, MIN_ARM_Z = 4.0, 3.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Tumour-like tissue against the rest of a section, gene by gene along the genome."""

    contrast: Float[Array, " spots"]
    pools: Pools
    genes: PlacedGenes

    @classmethod
    def from_score(cls, expression: Expression, score: Float[Array, " spots"]) -> Self:
        """Return the comparison of spots with a high score with those with a low one."""
        contrast = np.clip(standardise(score), -MAX_DEVIATION, MAX_DEVIATION).astype(np.float32)
        pools = Pools.from_contrast(expression, contrast)
        return cls(contrast, pools, PlacedGenes.select(expression, pools))

    @property
    def unknown_reason(self) -> str:
        """Why copy number is unknown; '' if it is known."""
        if not self.contrast.any():
            return "no spot is more tumour-like than the others"
        genes, arms = len(self.genes.rows), len(self.genes.arm_names)
        if genes >= MIN_GENES and arms >= MIN_ARMS:
            return ""
        return f"genes with enough counts: {genes} on {arms} chromosome arms; {MIN_GENES} on {MIN_ARMS} are needed"


def find_copy_number(expression: Expression, comparison: Comparison) -> CopyNumber:
    """Return what copy number says of a section's tumour-like tissue."""
    genes = comparison.genes
    if comparison.unknown_reason:
        return CopyNumber(genes=len(genes.rows), unknown_reason=comparison.unknown_reason)
    profile = GeneProfile.fit(expression, comparison.pools, genes)
    deviations = profile.deviations(log2_ratio(comparison.pools))
    weighted = profile.weights * deviations
    z = min(block_z(weighted, genes.arm), block_z(weighted, genes.run))
    return CopyNumber(
        z=z,
        genes=len(genes.rows),
        arms=_arms(profile, comparison.pools, deviations, supported=z >= SUPPORTED),
        segments=_segments(profile, deviations),
    )


def _arms(
    profile: GeneProfile, pools: Pools, deviations: Float[Array, " genes"], *, supported: bool
) -> tuple[ArmChange, ...]:
    genes = profile.genes
    means, errors = profile.means(deviations, genes.arm), _errors(profile, pools)
    by_place = sum_z(profile.weights * deviations, genes.arm)
    changed = supported & (np.abs(means) > MIN_T * errors) & (np.abs(by_place) > MIN_ARM_Z)
    facts = zip(genes.arm_names, np.bincount(genes.arm), means, errors, changed, strict=True)
    return tuple(
        ArmChange(name, int(size), float(mean), float(error), changed=bool(is_changed))
        for name, size, mean, error, is_changed in facts
    )


def _errors(profile: GeneProfile, pools: Pools) -> Float[Array, " arms"]:
    """The standard errors of the arms' means over spots (delete-a-group jackknife)."""
    without = [profile.deviations(log2_ratio(pools, left_out=group)) for group in range(GROUPS)]
    means = np.stack([profile.means(deviations, profile.genes.arm) for deviations in without])
    return np.asarray(np.sqrt((GROUPS - 1) * means.var(axis=0)))


def _segments(profile: GeneProfile, deviations: Float[Array, " genes"]) -> tuple[Segment, ...]:
    """The runs of genes; each ends before the next one begins, although genes may overlap."""
    positions, genes = human_positions(), profile.genes
    runs = [genes.rows[genes.run == run] for run in range(genes.run.max() + 1)]
    arms = [str(positions.arm[rows[0]]) for rows in runs]
    starts = [int(positions.start[rows[0]]) for rows in runs]
    ends = [int((positions.start[rows] + positions.length[rows]).max()) for rows in runs]
    for run, (arm, next_arm) in enumerate(pairwise(arms)):
        ends[run] = min(ends[run], starts[run + 1] - 1) if arm == next_arm else ends[run]
    means = profile.means(deviations, genes.run).tolist()
    return tuple(map(Segment, arms, starts, ends, map(len, runs), means))
