"""Training and test tasks of an evaluation, for every head, set of modalities, seed and held-out group."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from scipy.special import expit

from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.section_data import SectionData, patients, with_modalities
from spacrd_core.devices import choose_device, one_thread
from spacrd_core.errors import TrainingError
from spacrd_core.evaluation.summary import Row
from spacrd_core.executors.local import Local
from spacrd_core.executors.pool import Executor
from spacrd_core.executors.run import run_in_order
from spacrd_core.executors.serial import Serial
from spacrd_core.executors.task import Worker
from spacrd_core.metrics.classification import measure
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.model.options import PRIOR_HEAD
from spacrd_core.model.reading import Reading, read_by_prior, read_section
from spacrd_core.plugins import Registry, load_heads
from spacrd_core.prior.options import PriorOptions
from spacrd_core.progress import Track, silent


@dataclass(frozen=True)
class Task:
    """One training and its test: a head, its modalities, its options with a seed, and the test sections."""

    head: str
    modalities: str
    options: TrainOptions
    test: tuple[str, ...]


@dataclass(frozen=True)
class FoldTask:
    """One training and its test, as a task of an executor."""

    task: Task
    sections: Local[Sequence[SectionData]]
    heads: Local[Registry[Any]]
    encoder: str

    def run(self, worker: Worker) -> list[Row]:
        """Return the rows of the test sections."""
        with one_thread():
            device = choose_device(worker.device)
            return run_task(self.task, self.sections.get(), self.encoder, device, self.heads.get())


def plan(
    sections: Sequence[SectionData],
    options: Sequence[TrainOptions],
    modality_sets: Sequence[str],
    seeds: Sequence[int],
    by: str,
) -> list[Task]:
    """Return all tasks: each patient (or each section, with ``by`` section) is tested by models trained on the others.

    Raises
    ------
    TrainingError
        If there are fewer than two groups to hold out.
    """
    labelled = [section for section in sections if section.classes]
    groups = patients(labelled) if by == "patient" else [section.id for section in labelled]
    if len(groups) < 2:
        raise TrainingError(
            f"cross-validation needs at least two labelled {by}s, but found {', '.join(groups) or 'none'}",
            hint="name patients with --patient at ingest" if by == "patient" else "ingest more labelled sections",
        )
    tasks = [
        _task(labelled, option, modalities, seed, group, by)
        for option, modalities, seed, group in itertools.product(options, modality_sets, seeds, groups)
    ]
    return [task for task in tasks if any(section.id in task.test for section in _select(labelled, task.modalities))]


def run(
    tasks: Sequence[Task],
    sections: Local[Sequence[SectionData]],
    *,
    encoder: str,
    device: str,
    heads: Registry[Any],
    executor: Executor | None = None,
    track: Track = silent,
) -> Iterator[Row]:
    """Yield the rows of all tasks in order.

    A task computes in one thread, so that its metrics do not depend on the executor. A head whose result does not
    depend on the seed is trained once, and its rows are repeated.
    """
    keys = [_training_key(task, seeded=heads.load(task.options.head.name).seeded) for task in tasks]
    task_of_key = dict(zip(reversed(keys), reversed(tasks), strict=True))
    order = list(dict.fromkeys(keys))
    local_heads = Local(load_heads, heads)
    trainings = [FoldTask(task_of_key[key], sections, local_heads, encoder) for key in order]
    outcomes = run_in_order(executor or Serial(), trainings, "evaluating", device=device, track=track)
    rows_of_key = {}
    for key, outcome in zip(order, outcomes, strict=True):
        if outcome.error:
            raise outcome.error
        rows_of_key[key] = outcome.result or []
    for task, key in zip(tasks, keys, strict=True):
        yield from (row.model_copy(update={"seed": task.options.first_seed}) for row in rows_of_key[key])


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
        for section in _select([section for section in sections if section.classes], modalities):
            if _has_evidence(section):
                row = _row(task, section, encoder, **_metrics_of(read_by_prior(section, prior), section))
                rows += [row.model_copy(update={"seed": seed}) for seed in seeds]
    return rows


def _has_evidence(section: SectionData) -> bool:
    evidence = section.evidence
    return evidence is not None and (evidence.genes is not None or evidence.image is not None)


def _training_key(task: Task, *, seeded: bool) -> tuple[object, ...]:
    """What distinguishes the training of a task from others."""
    return (task.head, task.modalities, task.test, task.options.first_seed if seeded else None)


def run_task(
    task: Task, sections: Sequence[SectionData], encoder: str, device: torch.device, heads: Registry[Any]
) -> list[Row]:
    """Train without the test sections and return their rows; rows have a note only if one class is left to train on."""
    selected = _select(sections, task.modalities)
    training = [section for section in selected if section.id not in task.test]
    test = [section for section in selected if section.id in task.test]
    if {label for section in training for label in section.classes} != {0, 1}:
        note = "not held out: the other sections have one class only"
        return [_row(task, section, encoder, note=note) for section in test]
    trained = train_calibrated(training, task.options, heads=heads, device=device)
    return [_row(task, section, encoder, **_metrics(trained, section)) for section in test]


def _select(sections: Sequence[SectionData], modalities: str) -> list[SectionData]:
    """The sections that have some of these modalities, as if they had no others."""
    members = MODALITIES[modalities]
    selected = [with_modalities(section, genes="genes" in members, image="image" in members) for section in sections]
    return [section for section in selected if section.expression is not None or section.image is not None]


def _metrics(trained: CalibratedEnsemble, data: SectionData) -> dict[str, Any]:
    section = trained.ensemble.prepare(data)
    return _metrics_of(read_section(trained.ensemble, trained.calibrations, section, trained.prior), data)


def _metrics_of(reading: Reading, data: SectionData) -> dict[str, Any]:
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


def _task(
    sections: Sequence[SectionData], options: TrainOptions, modalities: str, seed: int, group: str, by: str
) -> Task:
    test = tuple(section.id for section in sections if group == (section.patient if by == "patient" else section.id))
    seeded = options.model_copy(update={"seeds": 1, "first_seed": seed})
    return Task(options.head.label or options.head.name, modalities, seeded, test)
