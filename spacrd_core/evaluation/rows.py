"""The metrics of test sections, as rows of an evaluation."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scipy.special import expit

from spacrd_core.evaluation.plan import Task, select
from spacrd_core.evaluation.summary import Row
from spacrd_core.metrics.classification import measure
from spacrd_core.model.calibrated_ensemble import TrainOptions
from spacrd_core.model.options import PRIOR_HEAD
from spacrd_core.model.reading import Reading, read_by_prior, read_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble
    from spacrd_core.prior.options import PriorOptions


def rows_by_prior(
    sections: Sequence[SectionData],
    prior: PriorOptions,
    modality_sets: Sequence[str],
    seeds: Sequence[int],
    encoder: str,
) -> list[Row]:
    """Return the rows of the built-in detector, which no section trains and no seed changes; none without evidence."""
    rows = []
    for modalities in modality_sets if prior.use else ():
        task = Task(PRIOR_HEAD, modalities, TrainOptions(head=PRIOR_HEAD, seeds=1), ())
        for section in select([section for section in sections if section.classes], modalities):
            if _has_evidence(section):
                row = _row(task, section, encoder, **_metrics(read_by_prior(section, prior), section))
                rows += [row.model_copy(update={"seed": seed}) for seed in seeds]
    return rows


def row_of_trained(task: Task, trained: CalibratedEnsemble, data: SectionData, encoder: str) -> Row:
    """Return the row of a test section."""
    section = trained.ensemble.prepare(data)
    reading = read_section(trained.ensemble, trained.calibrations, section, trained.prior)
    return _row(task, data, encoder, **_metrics(reading, data))


def row_without_training(task: Task, section: SectionData, encoder: str) -> Row:
    """Return the row of a section without which no head can be trained."""
    return _row(task, section, encoder, note="not held out: the other sections have one class only")


def _has_evidence(section: SectionData) -> bool:
    evidence = section.evidence
    return evidence is not None and (evidence.genes is not None or evidence.image is not None)


def _metrics(reading: Reading, data: SectionData) -> dict[str, Any]:
    known, calibration = data.labels >= 0, reading.calibration
    metrics = measure(reading.probability[known], data.labels[known], calibration.threshold)
    alone = reading.parts.get(reading.modalities)
    return {
        **asdict(metrics),
        "threshold": calibration.threshold,
        "calibration": calibration.method,
        "weights": calibration.weights,
        "auc_unweighted": None if alone is None else measure(expit(alone.mean(0)[known]), data.labels[known], 0.5).auc,
        "note": "" if metrics.auc is not None else "one class only: no AUC",
    }


def _row(task: Task, section: SectionData, encoder: str, **metrics: Any) -> Row:
    return Row(
        head=task.head,
        encoder=encoder if "image" in task.modalities else "none",
        modalities=task.modalities,
        seed=task.options.first_seed,
        section=section.id,
        patient=section.patient,
        platform=section.platform,
        **metrics,
    )
