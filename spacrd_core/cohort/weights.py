"""What every labelled spot counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.arrays import Array


def balanced_weights(patients: Sequence[str] | Array, labels: Array) -> Array:
    """Return spot weights by which patients count the same, and within a patient both classes; 1 on average.

    How much of a section is cancer says nothing of the next patient: a section is cut where a surgeon cut. Unbalanced,
    a detector trained on sections full of tumour would call most of a healthy one.
    """
    names = np.asarray(patients)
    weights = np.zeros(len(labels))
    for name in np.unique(names):
        classes = np.unique(labels[names == name])
        for label in classes:
            group = (names == name) & (labels == label)
            weights[group] = 1.0 / (len(classes) * group.sum())
    return weights / weights.mean() if len(weights) else weights
