"""Weights of labelled spots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.arrays import Array


def balanced_weights(patients: Sequence[str] | Array, labels: Array) -> Array:
    """Return spot weights that balance patients, and both classes within a patient; their mean is 1.

    The share of cancer in one section predicts nothing about the next patient: it depends on where the surgeon cut.
    Without balancing, a detector trained on sections full of tumour would call most of a healthy section.
    """
    patient_of_spot = np.asarray(patients)
    weights = np.zeros(len(labels))
    for patient in np.unique(patient_of_spot):
        classes = np.unique(labels[patient_of_spot == patient])
        for label in classes:
            group = (patient_of_spot == patient) & (labels == label)
            weights[group] = 1.0 / (len(classes) * group.sum())
    return weights / weights.mean() if len(weights) else weights
