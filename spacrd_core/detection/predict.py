"""Apply a detector to sections it may never have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.cohort.modalities import VIEWS
from spacrd_core.detection.attribution import top_modality
from spacrd_core.model.conformal import SETS
from spacrd_core.model.decision import LABELS, Calling, labels
from spacrd_core.model.ensemble import SCORING_BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.model.platt import Calibration

AS_TRAINED = Calling()


def predict(
    ensemble: Ensemble,
    calibrations: Mapping[str, Calibration],
    section: SectionData,
    calling: Calling = AS_TRAINED,
    *,
    batch_size: int = SCORING_BATCH,
) -> pd.DataFrame:
    """Return a section's spot table.

    Columns: ``probability`` (calibrated, of the members' mean logit), ``label``, ``spread`` (standard deviation of the
    members' probabilities), ``ood`` (distance from the training tissue; above 1 is farther than 95 % of it),
    ``gene_coverage`` and ``image_coverage`` (0 to 1), ``set`` (the classes that a spot may well be: ``cancer``,
    ``normal``, ``both`` or ``none``; missing where fewer than two patients were held out), ``top_modality`` (which of
    ``genes``, ``image`` or their ``fusion`` says most for its call) and ``top_contribution`` (how much: log odds beyond
    the section's mean; both missing where nothing was measured), ``doubtful`` (whether it is uncertain whatever the
    threshold). A spot that has nothing of what calls are made from (no count on the panel, no tissue on the image) is
    uncertain. How the calls were made is written on the table (:class:`Called`). Labels of the section are not looked
    at.

    Raises
    ------
    DetectorError
        If the section has nothing that the detector reads, or its scores do not allow the threshold's rule.
    """
    view = ensemble.view(section)
    calibration = calibrations[view]
    scores = ensemble.score(section, view, tuple(calibration.slopes), batch_size=batch_size)
    said = {name: logits.mean(axis=0) for name, logits in scores.logits.items()}
    probability = calibration.probabilities(said)
    spread = calibration.probabilities(scores.logits).std(axis=0)
    coverage = {"genes": _gene_coverage(ensemble, section), "image": _image_coverage(view, section)}
    read = frozenset().union(*(VIEWS[part] for part in calibration.slopes))
    seen = np.any([coverage[modality] > 0 for modality in read], axis=0)
    called = calling.how(calibration, probability[seen], section.id)
    doubtful = calling.doubts(calibration, probability, scores.novelty) | ~seen
    label = labels(probability, called.threshold, spread=spread, doubtful=doubtful)
    top, contribution = top_modality(calibration, said, cancer=probability >= called.threshold, seen=seen)
    table = pd.DataFrame(
        {
            "probability": probability,
            "label": pd.Categorical(label, categories=LABELS),
            "spread": spread,
            "ood": scores.novelty,
            "gene_coverage": coverage["genes"],
            "image_coverage": coverage["image"],
            "set": pd.Categorical(calling.sets(calibration, probability), categories=SETS),
            "top_modality": top,
            "top_contribution": contribution,
            "doubtful": doubtful,
        },
        index=pd.Index(section.spot_ids, name="spot_id"),
    )
    called.write_on(table)
    return table


def _image_coverage(view: str, section: SectionData) -> Array:
    """The share of every spot's patch that lies on the image; 0 where the image is not read."""
    if "image" not in VIEWS[view] or section.image_coverage is None:
        return np.zeros(len(section.labels))
    return np.asarray(section.image_coverage, dtype=np.float64)


def _gene_coverage(ensemble: Ensemble, section: SectionData) -> Array:
    """The share of the detector's genes that the section measures; 0 in a spot that has no count of any."""
    rows = ensemble.lens.gene_rows(section)
    return np.zeros(len(section.labels)) if rows is None else np.where(rows.counted, rows.measured.mean(), 0.0)
