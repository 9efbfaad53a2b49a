"""Weights of image, genes and their fusion in a call, fitted on held-out patients."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.modalities import MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.arrays import Array

STEPS = 10
CONFIDENCE = 0.95
MIN_PATIENTS = 3
LARGE_AUC_DIFFERENCE = 0.1  # with one or two training patients, the AUC varies by as much between seeds


def fit_modality_weights(odds: Mapping[str, Array], labels: Array, patients: Sequence[str]) -> dict[str, float]:
    """Return the weight of each set of modalities in the log odds: positive, with a sum of 1.

    ``odds`` are calibrated out-of-fold log odds. The modality with the highest mean AUC over patients is used alone,
    unless fusion gains significantly (paired t-test over patients, one-sided at 5 %): with few patients, a small
    advantage is as often a disadvantage on the next patient. Fewer than three patients hardly show which modality is
    better, and models of thousands of genes then generalise less than models of stain; the image is therefore used
    alone, unless its AUC is lower by 0.1 or more. Patients with one class are not used; if none
    remains, the first set is used alone.
    """
    labels, spot_patients = np.asarray(labels), np.asarray(patients)
    folds = [spot_patients == patient for patient in np.unique(spot_patients)]
    folds = [fold for fold in folds if len(np.unique(labels[fold])) == 2]
    if len(odds) == 1 or not folds:
        return {next(iter(odds)): 1.0}
    values = np.stack(list(odds.values()))
    candidates = _candidate_weights(len(odds))
    aucs = np.array(
        [[roc_auc_score(labels[fold], weights @ values[:, fold]) for fold in folds] for weights in candidates]
    )
    single = [index for index, weights in enumerate(candidates) if _is_one_modality(weights, tuple(odds))]
    best = int(aucs.mean(axis=1).argmax())
    if single:
        best_single = _best_single_modality(single, candidates, aucs, tuple(odds))
        best = best if _significantly_positive(aucs[best] - aucs[best_single]) else best_single
    return {name: float(weight) for name, weight in zip(odds, candidates[best], strict=True) if weight}


def _best_single_modality(single: Sequence[int], candidates: Array, aucs: Array, names: Sequence[str]) -> int:
    best = max(single, key=lambda index: float(aucs[index].mean()))
    image = next((index for index in single if names[int(candidates[index].argmax())] == "image"), best)
    few_patients = aucs.shape[1] < MIN_PATIENTS
    return image if few_patients and aucs[image].mean() > aucs[best].mean() - LARGE_AUC_DIFFERENCE else best


def _candidate_weights(count: int) -> Array:
    """All weights in steps of 0.1 that sum to 1; those of a single set come first."""
    steps = [weights for weights in product(range(STEPS + 1), repeat=count) if sum(weights) == STEPS]
    return np.array(sorted(steps, key=max, reverse=True)) / STEPS


def _is_one_modality(weights: Array, names: Sequence[str]) -> bool:
    return weights.max() == 1.0 and len(MODALITIES[names[int(weights.argmax())]]) == 1


def _significantly_positive(gains: Array) -> bool:
    """Whether the mean gain is above 0 at the confidence level."""
    if len(gains) < MIN_PATIENTS or gains.mean() <= 0:
        return False
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return bool(gains.mean() > error * student.ppf(CONFIDENCE, len(gains) - 1))
