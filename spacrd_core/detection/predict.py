"""Prediction of a section's spots by a detector's ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.detection.attribution import top_modality
from spacrd_core.model.conformal import SETS
from spacrd_core.model.decision import LABELS, DecisionRule, labels
from spacrd_core.model.ensemble import SCORING_BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.prepared import PreparedSection
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.model.platt import Calibration

AS_TRAINED = DecisionRule()


def predict(
    ensemble: Ensemble,
    calibrations: Mapping[str, Calibration],
    section: PreparedSection,
    rule: DecisionRule = AS_TRAINED,
    *,
    batch_size: int = SCORING_BATCH,
) -> pd.DataFrame:
    """Return a section's spot table, with one row per spot.

    The columns:

    - ``probability``: calibrated, from the mean logit of the members;
    - ``label``: cancer, normal or uncertain;
    - ``spread``: standard deviation of the members' probabilities;
    - ``ood``: distance from the training tissue; above 1, 95 % of the training spots are nearer;
    - ``gene_coverage``, ``image_coverage``: 0 to 1;
    - ``set``: the conformal set (``cancer``, ``normal``, ``both`` or ``none``), missing if fewer than two patients were
      held out;
    - ``top_modality``: which of ``genes``, ``image`` or their ``fusion`` contributes most to the call;
    - ``top_contribution``: that contribution in log odds relative to the section's mean; both are missing if nothing
      was measured;
    - ``doubtful``: whether the spot is uncertain at any threshold.

    A spot without any input (no count on the panel, no tissue on the image) is uncertain. The table also carries its
    :class:`Decision`. Labels of the section are not used.

    Raises
    ------
    DetectorError
        If the section has nothing that the detector reads, or its scores do not allow the threshold rule.
    """
    modalities = ensemble.modalities_of(section)
    calibration = calibrations[modalities]
    scores = ensemble.score(section, modalities, tuple(calibration.slopes), batch_size=batch_size)
    logits = {name: values.mean(axis=0) for name, values in scores.logits.items()}
    probability = calibration.probabilities(logits)
    spread = calibration.probabilities(scores.logits).std(axis=0)
    coverage = {"genes": _gene_coverage(section), "image": _image_coverage(section, modalities)}
    read = frozenset().union(*(MODALITIES[name] for name in calibration.slopes))
    measured = np.any([coverage[modality] > 0 for modality in read], axis=0)
    decision = rule.apply(calibration, probability[measured], section.section.id)
    uncertain = rule.uncertain_mask(calibration, probability, scores.ood) | ~measured
    label = labels(probability, decision.threshold, spread=spread, uncertain=uncertain)
    cancer = probability >= decision.threshold
    top, contribution = top_modality(calibration, logits, cancer=cancer, measured=measured)
    table = pd.DataFrame(
        {
            "probability": probability,
            "label": pd.Categorical(label, categories=LABELS),
            "spread": spread,
            "ood": scores.ood,
            "gene_coverage": coverage["genes"],
            "image_coverage": coverage["image"],
            "set": pd.Categorical(rule.sets(calibration, probability), categories=SETS),
            "top_modality": top,
            "top_contribution": contribution,
            "doubtful": uncertain,
        },
        index=pd.Index(section.section.spot_ids, name="spot_id"),
    )
    decision.attach(table)
    return table


def _image_coverage(section: PreparedSection, modalities: str) -> Array:
    """The share of every spot's patch that lies on the image; 0 if the image is not used."""
    coverage = section.section.image_coverage
    if "image" not in MODALITIES[modalities] or coverage is None:
        return np.zeros(len(section.section.labels))
    return np.asarray(coverage, dtype=np.float64)


def _gene_coverage(section: PreparedSection) -> Array:
    """The share of the detector's genes that the section measures; 0 for a spot without any count of them."""
    if section.genes is None:
        return np.zeros(len(section.section.labels))
    return np.where(section.genes.has_counts, section.genes.measured.mean(), 0.0)
