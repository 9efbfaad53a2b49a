"""Whether what a section says of itself makes its calls better, on held-out patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.model.cross_validation import OutOfFold

MAX_LOSS = 0.01  # of the mean AUC: smaller differences are noise with few patients


def prior_helps(folds: Sequence[OutOfFold]) -> bool:
    """Return whether held-out patients are not worse called with the prior than without; True if there are none."""
    gains: dict[str, list[float]] = {}
    for fold in folds:
        if len(np.unique(fold.labels)) == 2:
            plain = fold.logits[fold.modalities]
            alone = plain.get("image", plain[fold.modalities])
            difference = roc_auc_score(fold.labels, fold.as_read) - roc_auc_score(fold.labels, alone)
            gains.setdefault(fold.section.patient, []).append(float(difference))
    return not gains or float(np.mean([np.mean(values) for values in gains.values()])) >= -MAX_LOSS
