"""What a section as a whole says of how much of it is tumour.

Genes are standardised within a section, so that a section without tumour, or of nothing else, looks mixed to a head.
Two things still tell: where the section's mean expression stands between normal and cancer, and how far its logits
spread. How much they tell is learned from held-out patients, cut to all mixtures from no tumour to nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from spacrd_core.cohort.scaling import Scale
from spacrd_core.cohort.weights import balanced_weights
from spacrd_core.genes.panel import on_panel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.preprocessing import Lens
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.genes.expression import Expression

FEWEST = 3  # patients
SHARES = (0.0, 0.1, 0.25, 0.5)
COVERED = 0.9  # of the panel, below which the level of the rest says little
DENSITY_RANGE = 1.6  # how far from the training sections' a section's share of counted genes may be
HELD_BACK, LEAST_SPREAD = 10.0, 1e-3


@dataclass(frozen=True)
class Evidence:
    """A section cut to some mixture: its spots' logits and labels, its level, and whose it is."""

    patient: str
    logits: Array
    labels: Array
    level: float


@dataclass(frozen=True)
class Composition:
    """How a section's level and spread shift its gene logits; not at all before it was taught.

    Attributes
    ----------
    offset, direction
        The level of mean expression (panel) is ``(mean - offset) @ direction``: -0.5 at the training patients' normal
        spots, 0.5 at their cancer. Directions in which patients differ count less (Fisher's discriminant).
    density
        The lowest and highest share of the panel that training spots have counts of.
    weights
        The logit's shift for a level of 1, for a log spread of 1, and at 0 of both.
    usual
        The mean shift of held-out sections: that of a section whose level is not known.
    """

    offset: Array
    direction: Array
    density: Array
    weights: Array
    usual: Array

    @classmethod
    def fit(cls, sections: Sequence[SectionData], lens: Lens) -> Self | None:
        """Return the level that training sections tell; None for fewer than three patients with both classes."""
        read = [(s.patient, s.labels, _measured(s.expression, lens)[0]) for s in sections if s.expression is not None]
        patients = sorted({patient for patient, *_ in read})
        means = [found for one in patients if (found := _class_means([own[1:] for own in read if own[0] == one]))]
        if len(means) < FEWEST:
            return None
        normal, cancer, variance = (np.array(parts) for parts in zip(*means, strict=True))
        density = [_density(values) for *_, values in read]
        direction = _fisher(normal, cancer, variance.mean(axis=0))
        offset = (normal + cancer).mean(axis=0) / 2
        return cls(offset, direction, np.array([min(density), max(density)]), np.zeros(3), np.zeros(()))

    def level(self, section: SectionData, lens: Lens) -> float:
        """Return a section's level; not a number where it was measured too unlike the training sections to say."""
        if section.expression is None:
            return np.nan
        values, measured = _measured(section.expression, lens)
        lowest, highest = self.density
        if measured.mean() < COVERED or not lowest / DENSITY_RANGE < _density(values) < highest * DENSITY_RANGE:
            return np.nan
        mean = np.asarray(values.mean(axis=0)).ravel()
        return float((mean - self.offset[measured]) @ self.direction[measured])

    def taught(self, told: Sequence[Evidence], whole: Sequence[Evidence]) -> Self:
        """Return it with the weights that mixtures of held-out patients ask for, patients and classes alike.

        ``whole`` are their sections as they are.
        """
        told = [evidence for evidence in told if np.isfinite(evidence.level)]
        if len({evidence.patient for evidence in told}) < FEWEST:
            return self
        labels = np.concatenate([evidence.labels for evidence in told])
        owners = np.concatenate([[evidence.patient] * len(evidence.labels) for evidence in told])
        columns = np.concatenate([_columns(evidence.logits, evidence.level) for evidence in told])
        scale = StandardScaler().fit(columns)
        model = LogisticRegression(C=HELD_BACK, max_iter=1000)
        model.fit(scale.transform(columns), labels, sample_weight=balanced_weights(owners, labels) / len(labels))
        slopes = model.coef_[0] / scale.scale_
        if slopes[0] <= 0:
            return self
        weights = np.array([slopes[1], slopes[2], model.intercept_[0] - slopes @ scale.mean_]) / slopes[0]
        shifts = [weights @ _facts(each.logits, each.level) for each in whole if np.isfinite(each.level)]
        return replace(self, weights=weights, usual=np.array(np.mean(shifts) if shifts else 0.0))

    def shift(self, level: float, logits: Array) -> float:
        """Return what to add to a section's gene logits."""
        return float(self.weights @ _facts(logits, level) if np.isfinite(level) else self.usual)


def mixtures(section: SectionData) -> Iterator[SectionData]:
    """Yield a section's labelled spots, and them with less and less of either class: what is left lies together."""
    known = section.labels >= 0
    yield section.only(known)
    for label in (0, 1):
        own = np.flatnonzero(section.labels == label)
        across = own[np.argsort(section.xy_um[own].sum(axis=1), kind="stable")]
        for share in SHARES:
            kept = known.copy()
            kept[across[round(share * len(across)) :]] = False
            yield section.only(kept)


def _columns(logits: Array, level: float) -> Array:
    """What the regression reads of a section's spots: logit, level, log spread."""
    return np.column_stack([logits, np.broadcast_to(_facts(logits, level)[:2], (len(logits), 2))])


def _facts(logits: Array, level: float) -> Array:
    return np.array([level, np.log(logits.std() + LEAST_SPREAD), 1.0])


def _measured(expression: Expression, lens: Lens) -> tuple[sparse.csr_matrix[Any], Array]:
    """Expression of the genes that heads read, and which of them were measured."""
    genes = slice(lens.genes_read)
    return on_panel(expression, lens.panel[genes], lens.panel_ids[genes])


def _density(values: sparse.csr_matrix[Any]) -> float:
    return float(values.nnz / max(np.prod(values.shape), 1))


def _class_means(sections: Sequence[tuple[Array, sparse.csr_matrix[Any]]]) -> tuple[Array, Array, Array] | None:
    """A patient's mean expression of normal and of cancer spots, and the variance within them."""
    told = []
    for label in (0, 1):
        values = sparse.vstack([values[labels == label] for labels, values in sections]).tocsr()
        if values.shape[0] == 0:
            return None
        scale = Scale.of_sparse(values)
        told.append((scale.offset, np.square(scale.width)))
    (normal, one), (cancer, other) = told
    return normal, cancer, (one + other) / 2


def _fisher(normal: Array, cancer: Array, variance: Array) -> Array:
    """The direction from normal to cancer, of length 1 between them, held back where patients differ."""
    spread = np.sqrt(variance + 0.3 * np.median(variance))
    difference = (cancer - normal).mean(axis=0)
    middles, differences = (cancer + normal) / 2, cancer - normal
    varied = np.concatenate([middles - middles.mean(axis=0), (differences - difference) / 2])
    varied = varied / spread / np.sqrt(len(normal) - 1)
    wanted = difference / spread
    inner = varied @ varied.T + np.eye(len(varied))
    direction = (wanted - varied.T @ np.linalg.solve(inner, varied @ wanted)) / spread
    return np.asarray(direction / (direction @ difference))
