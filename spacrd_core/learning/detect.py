"""Apply a detector to sections it may never have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.learning.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.learning.calibration import Calibration
    from spacrd_core.learning.ensemble import Ensemble
    from spacrd_core.learning.sections import SectionData

Array = np.ndarray[Any, Any]
LABELS = ("cancer", "normal", "uncertain")


def predict(ensemble: Ensemble, calibrations: Mapping[str, Calibration], section: SectionData) -> pd.DataFrame:
    """Return a section's spot table.

    Columns: ``probability`` (calibrated, of the members' mean logit), ``label``, ``spread`` (standard deviation of the
    members' probabilities), ``ood`` (distance from the training tissue; above 1 is farther than 95 % of it),
    ``gene_coverage`` and ``image_coverage`` (0 to 1). Labels of the section are not looked at.
    """
    view = ensemble.view(section)
    calibration = calibrations[view]
    scores = ensemble.score(section, view, tuple(calibration.slopes))
    probability = calibration.probabilities({name: logits.mean(axis=0) for name, logits in scores.logits.items()})
    spread = calibration.probabilities(scores.logits).std(axis=0)
    return pd.DataFrame(
        {
            "probability": probability,
            "label": pd.Categorical(_labels(probability, spread, calibration.threshold), categories=LABELS),
            "spread": spread,
            "ood": scores.novelty,
            "gene_coverage": _gene_coverage(ensemble, section),
            "image_coverage": _image_coverage(view, section),
        },
        index=pd.Index(section.spot_ids, name="spot_id"),
    )


def _labels(probability: Array, spread: Array, threshold: float) -> Array:
    """Cancer above the threshold, normal below, uncertain where the members' spread reaches across it."""
    called = np.where(probability >= threshold, "cancer", "normal")
    return np.where(np.abs(probability - threshold) < spread, "uncertain", called)


def _image_coverage(view: str, section: SectionData) -> Array | float:
    """The share of every spot's patch that lies on the image; 0 where the image is not read."""
    read = "image" in VIEWS[view] and section.image_coverage is not None
    return np.asarray(section.image_coverage, dtype=np.float64) if read else 0.0


def _gene_coverage(ensemble: Ensemble, section: SectionData) -> float:
    """The share of the detector's genes that the section measures."""
    panel = ensemble.lens.panel
    if section.expression is None or not panel:
        return 0.0
    return len(set(panel) & set(section.expression.symbols)) / len(panel)
