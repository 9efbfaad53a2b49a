"""Apply a detector to sections it may never have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from spacrd_core.learning.calibration import Calibration
    from spacrd_core.learning.ensemble import Ensemble
    from spacrd_core.learning.sections import SectionData

Array = np.ndarray[Any, Any]
LABELS = ("cancer", "normal", "uncertain")


def predict(ensemble: Ensemble, calibration: Calibration, section: SectionData) -> pd.DataFrame:
    """Return a section's spot table.

    Columns: ``probability`` (calibrated, of the members' mean logit), ``label``, ``spread`` (standard deviation of the
    members' probabilities), ``ood`` (distance from the training tissue; above 1 is farther than 95 % of it),
    ``gene_coverage`` and ``image_coverage`` (0 to 1). Labels of the section are not looked at.
    """
    scores = ensemble.score(section)
    probability = calibration.probabilities(scores.logits.mean(axis=0))
    spread = calibration.probabilities(scores.logits).std(axis=0)
    return pd.DataFrame(
        {
            "probability": probability,
            "label": pd.Categorical(_labels(probability, spread, calibration.threshold), categories=LABELS),
            "spread": spread,
            "ood": scores.novelty,
            "gene_coverage": _gene_coverage(ensemble, section),
            "image_coverage": 0.0 if section.image_coverage is None else section.image_coverage.astype(np.float64),
        },
        index=pd.Index(section.spot_ids, name="spot_id"),
    )


def _labels(probability: Array, spread: Array, threshold: float) -> Array:
    """Cancer above the threshold, normal below, uncertain where the members' spread reaches across it."""
    called = np.where(probability >= threshold, "cancer", "normal")
    return np.where(np.abs(probability - threshold) < spread, "uncertain", called)


def _gene_coverage(ensemble: Ensemble, section: SectionData) -> float:
    """The share of the detector's genes that the section measures."""
    panel = ensemble.lens.panel
    if section.expression is None or not panel:
        return 0.0
    return len(set(panel) & set(section.expression.symbols)) / len(panel)
