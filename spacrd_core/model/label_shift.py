"""Correction of gene logits for the share of tumour in a section (label shift).

Genes are standardised within a section, so a section without tumour, or with tumour only, looks mixed to a head. Two
properties of the section still carry information: where its mean expression lies between normal and cancer, and the
spread of its logits. Their weights are fitted on held-out patients, whose sections are cut to mixtures from no
tumour to tumour only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from spacrd_core.cohort.scaling import Scaler
from spacrd_core.cohort.weights import balanced_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.prepared import AlignedSection, PreparedSection
    from spacrd_core.cohort.section_data import SectionData

MIN_PATIENTS = 3
KEPT_SHARES = (0.0, 0.1, 0.25, 0.5)  # of one class in a mixture
MIN_PANEL_SHARE = 0.9  # below this share of the panel, the tumour score is not informative
DENSITY_FACTOR = 1.6  # largest ratio between a section's share of nonzero counts and that of the training sections
REGULARISATION = 10.0  # inverse strength
MIN_SPREAD = 1e-3


@dataclass(frozen=True)
class Mixture:
    """The spots of a section cut to some share of tumour: their logits and labels, and the tumour score."""

    patient: str
    logits: Array
    labels: Array
    tumour_score: float


@dataclass(frozen=True)
class LabelShift:
    """The shift of a section's gene logits by its tumour score and its spread; zero before the weights are fitted.

    Attributes
    ----------
    offset, direction
        The tumour score of mean expression (panel) is ``(mean - offset) @ direction``: -0.5 for the training patients'
        normal spots and 0.5 for their cancer. Directions in which patients differ have less weight (Fisher's
        discriminant).
    density
        The lowest and highest share of nonzero panel counts in the training sections.
    weights
        The logit's shift per unit of tumour score, per unit of log spread, and at 0 of both.
    mean_shift
        The mean shift of held-out sections, used for sections without a tumour score.
    """

    offset: Array
    direction: Array
    density: Array
    weights: Array
    mean_shift: Array

    @classmethod
    def fit(cls, sections: Sequence[PreparedSection], *, genes_read: int) -> Self | None:
        """Fit the tumour score to training sections; None with fewer than three patients that have both classes."""
        panels = [
            (each.section.patient, each.section.labels, _panel_expression(each.aligned, genes_read))
            for each in sections
            if each.aligned.expression is not None
        ]
        patients = sorted({patient for patient, *_ in panels})
        by_patient = [[panel[1:] for panel in panels if panel[0] == patient] for patient in patients]
        means = [moments for panel in by_patient if (moments := _class_moments(panel))]
        if len(means) < MIN_PATIENTS:
            return None
        normal, cancer, variance = (np.array(parts) for parts in zip(*means, strict=True))
        density = [_density(values) for *_, values in panels]
        direction = _fisher_direction(normal, cancer, variance.mean(axis=0))
        offset = (normal + cancer).mean(axis=0) / 2
        return cls(offset, direction, np.array([min(density), max(density)]), np.zeros(3), np.zeros(()))

    def tumour_score(self, section: PreparedSection, *, genes_read: int) -> float:
        """Return a section's tumour score; NaN if it was measured too differently from the training sections."""
        if section.aligned.expression is None:
            return np.nan
        measured = section.aligned.measured[:genes_read]
        values = _panel_expression(section.aligned, genes_read)
        lowest, highest = self.density
        if measured.mean() < MIN_PANEL_SHARE or not (
            lowest / DENSITY_FACTOR < _density(values) < highest * DENSITY_FACTOR
        ):
            return np.nan
        mean = np.asarray(values.mean(axis=0)).ravel()
        return float((mean - self.offset[measured]) @ self.direction[measured])

    def fit_weights(self, mixtures: Sequence[Mixture], sections: Sequence[Mixture]) -> Self:
        """Return a copy with the weights fitted on mixtures of held-out patients, with patients and classes balanced.

        ``sections`` are the held-out sections as they are; they give the mean shift.
        """
        scored = [mixture for mixture in mixtures if np.isfinite(mixture.tumour_score)]
        if len({mixture.patient for mixture in scored}) < MIN_PATIENTS:
            return self
        labels = np.concatenate([mixture.labels for mixture in scored])
        patients = np.concatenate([[mixture.patient] * len(mixture.labels) for mixture in scored])
        columns = np.concatenate([_regression_columns(mixture.logits, mixture.tumour_score) for mixture in scored])
        scaler = StandardScaler().fit(columns)
        model = LogisticRegression(C=REGULARISATION, max_iter=1000)
        spot_weights = balanced_weights(patients, labels) / len(labels)
        model.fit(scaler.transform(columns), labels, sample_weight=spot_weights)
        slopes = model.coef_[0] / scaler.scale_
        if slopes[0] <= 0:
            return self
        weights = np.array([slopes[1], slopes[2], model.intercept_[0] - slopes @ scaler.mean_]) / slopes[0]
        shifts = [
            weights @ _section_features(section.logits, section.tumour_score)
            for section in sections
            if np.isfinite(section.tumour_score)
        ]
        return replace(self, weights=weights, mean_shift=np.array(np.mean(shifts) if shifts else 0.0))

    def shift(self, tumour_score: float, logits: Array) -> float:
        """Return the shift to add to a section's gene logits."""
        if not np.isfinite(tumour_score):
            return float(self.mean_shift)
        return float(self.weights @ _section_features(logits, tumour_score))


def mixture_masks(section: SectionData) -> Iterator[Array]:
    """Yield masks of a section's labelled spots: all of them, then with smaller shares of one class or the other.

    The remaining spots of the reduced class are contiguous.
    """
    known = section.labels >= 0
    yield known
    for label in (0, 1):
        members = np.flatnonzero(section.labels == label)
        across = members[np.argsort(section.xy_um[members].sum(axis=1), kind="stable")]
        for share in KEPT_SHARES:
            mask = known.copy()
            mask[across[round(share * len(across)) :]] = False
            yield mask


def _regression_columns(logits: Array, tumour_score: float) -> Array:
    """The regression's columns for a section's spots: logit, tumour score, log spread."""
    features = _section_features(logits, tumour_score)[:2]
    return np.column_stack([logits, np.broadcast_to(features, (len(logits), 2))])


def _section_features(logits: Array, tumour_score: float) -> Array:
    return np.array([tumour_score, np.log(logits.std() + MIN_SPREAD), 1.0])


def _panel_expression(aligned: AlignedSection, genes_read: int) -> sparse.csr_matrix[Any]:
    """Expression of the measured genes that heads read; the aligned genes may continue with factor genes."""
    if aligned.expression is None:
        raise ValueError(f"section '{aligned.section.id}' has no genes")
    return aligned.expression[:, : int(aligned.measured[:genes_read].sum())]


def _density(values: sparse.csr_matrix[Any]) -> float:
    return float(values.nnz / max(np.prod(values.shape), 1))


def _class_moments(sections: Sequence[tuple[Array, sparse.csr_matrix[Any]]]) -> tuple[Array, Array, Array] | None:
    """A patient's mean expression of normal and of cancer spots, and the variance within the classes."""
    moments = []
    for label in (0, 1):
        values = sparse.vstack([values[labels == label] for labels, values in sections]).tocsr()
        if values.shape[0] == 0:
            return None
        scaler = Scaler.fit_sparse(values)
        moments.append((scaler.offset, np.square(scaler.scale)))
    (normal, normal_variance), (cancer, cancer_variance) = moments
    return normal, cancer, (normal_variance + cancer_variance) / 2


def _fisher_direction(normal: Array, cancer: Array, variance: Array) -> Array:
    """The direction from normal to cancer with unit distance between them, shrunk where patients differ."""
    spread = np.sqrt(variance + 0.3 * np.median(variance))
    difference = (cancer - normal).mean(axis=0)
    middles, differences = (cancer + normal) / 2, cancer - normal
    between = np.concatenate([middles - middles.mean(axis=0), (differences - difference) / 2])
    between = between / spread / np.sqrt(len(normal) - 1)
    target = difference / spread
    inner = between @ between.T + np.eye(len(between))
    direction = (target - between.T @ np.linalg.solve(inner, between @ target)) / spread
    return np.asarray(direction / (direction @ difference))
