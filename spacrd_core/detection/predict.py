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
from spacrd_core.model.findings import Findings
from spacrd_core.model.reading import Reading, read_section
from spacrd_core.prior.score import list_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.prepared import PreparedSection
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.model.platt import Calibration
    from spacrd_core.prior.lists import GeneLists
    from spacrd_core.prior.options import PriorOptions

AS_TRAINED = DecisionRule()


def predict(
    ensemble: Ensemble,
    calibrations: Mapping[str, Calibration],
    section: PreparedSection,
    rule: DecisionRule = AS_TRAINED,
    *,
    prior: PriorOptions | None = None,
    batch_size: int = SCORING_BATCH,
) -> pd.DataFrame:
    """Return a section's spot table by a trained ensemble; ``prior`` tells how it uses what the section says of itself.

    Raises
    ------
    DetectorError
        If the section has nothing that the detector reads, or its scores do not allow the threshold rule.
    """
    reading = read_section(ensemble, calibrations, section, prior, batch_size=batch_size)
    return spot_table(reading, section.section, detector_coverage(section), rule)


def detector_coverage(section: PreparedSection) -> Array:
    """Return the share of a detector's genes that the section measures; 0 for a spot without any count of them."""
    if section.genes is None:
        return np.zeros(len(section.section.labels))
    return np.where(section.genes.has_counts, section.genes.measured.mean(), 0.0)


def lists_coverage(section: SectionData, lists: GeneLists) -> Array:
    """Return the share of the gene lists' genes that the section measures; 0 for a spot without any count of them."""
    if section.expression is None:
        return np.zeros(len(section.labels))
    listed = np.concatenate([*list_columns(section.expression, lists).values()])
    has_counts = section.expression.values[:, listed].getnnz(axis=1) > 0  # noqa: PD011 - a sparse matrix, no frame
    return np.where(has_counts, len(listed) / sum(map(len, (lists.positive | lists.negative).values())), 0.0)


def spot_table(reading: Reading, section: SectionData, genes: Array, rule: DecisionRule) -> pd.DataFrame:
    """Return the spot table of a reading, with one row per spot; ``genes`` is the gene coverage of every spot.

    The columns:

    - ``probability``: calibrated, from the mean logit of the members;
    - ``label``: cancer, normal or uncertain;
    - ``spread``: standard deviation of the members' probabilities;
    - ``ood``: distance from the training tissue; above 1, 95 % of the training spots are nearer;
    - ``agreement``: of the detector with what the section says of itself, the lowest of its modalities and the same in
      every row; missing if that is not used;
    - ``gene_coverage``, ``image_coverage``: 0 to 1;
    - ``set``: the conformal set (``cancer``, ``normal``, ``both`` or ``none``), missing if fewer than two patients were
      held out;
    - ``top_modality``: which of ``genes``, ``image`` or their ``fusion`` contributes most to the call;
    - ``top_contribution``: that contribution in log odds relative to the section's mean; both are missing if nothing
      was measured;
    - ``doubtful``: whether the spot is uncertain at any threshold.

    A spot without any input (no count on the panel, no tissue on the image) is uncertain. The table also carries its
    :class:`~spacrd_core.model.decision.Decision` and :class:`~spacrd_core.model.findings.Findings`. Labels of the
    section are not used.

    Raises
    ------
    DetectorError
        If the section's scores do not allow the threshold rule.
    """
    findings, calibration, probability = Findings.of(reading), reading.calibration, reading.probability
    coverage = {"genes": genes, "image": _image_coverage(section, reading.modalities)}
    measured = np.any([coverage[modality] > 0 for modality in _modalities_read(reading)], axis=0)
    decision = rule.apply(calibration, probability[measured], section.id)
    uncertain = rule.uncertain_mask(calibration, probability, reading.ood) | ~measured | findings.makes_no_call
    label = labels(probability, decision.threshold, spread=reading.spread, uncertain=uncertain)
    top, contribution = top_modality(
        calibration,
        {name: values.mean(axis=0) for name, values in reading.parts.items()},
        cancer=probability >= decision.threshold,
        measured=measured,
    )
    table = pd.DataFrame(
        {
            "probability": probability,
            "label": pd.Categorical(label, categories=LABELS),
            "spread": reading.spread,
            "ood": reading.ood,
            "agreement": min(reading.agreement.values(), default=np.nan),
            "gene_coverage": coverage["genes"],
            "image_coverage": coverage["image"],
            "set": pd.Categorical(rule.sets(calibration, probability), categories=SETS),
            "top_modality": top,
            "top_contribution": contribution,
            "doubtful": uncertain,
        },
        index=pd.Index(section.spot_ids, name="spot_id"),
    )
    decision.attach(table)
    findings.attach(table)
    return table


def _modalities_read(reading: Reading) -> frozenset[str]:
    """The modalities that the calibrated parts of the score were read from."""
    return frozenset().union(*(MODALITIES[name] for name in reading.calibration.slopes if name in reading.parts))


def _image_coverage(section: SectionData, modalities: str) -> Array:
    """The share of every spot's patch that lies on the image; 0 if the image is not used."""
    if "image" not in MODALITIES[modalities] or section.image_coverage is None:
        return np.zeros(len(section.labels))
    return np.asarray(section.image_coverage, dtype=np.float64)
