"""Patient-wise cross-validation: heads, modalities and seeds side by side."""

import itertools
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import torch
from scipy.special import expit

from spacrd_core.cohort.modalities import VIEWS
from spacrd_core.cohort.section_data import SectionData, patients, with_modalities
from spacrd_core.devices import one_thread
from spacrd_core.errors import TrainingError
from spacrd_core.evaluation.summary import Row
from spacrd_core.metrics.classification import measure
from spacrd_core.model.calibrated_ensemble import Trained, TrainOptions, train
from spacrd_core.plugins import Registry, load_plugins
from spacrd_core.progress import Track, silent


@dataclass(frozen=True)
class Task:
    """One training and its test: a head, what it reads, a seed, and the sections it is tested on."""

    head: str
    modalities: str
    options: TrainOptions
    test: tuple[str, ...]


def plan(
    sections: Sequence[SectionData],
    options: Sequence[TrainOptions],
    modalities: Sequence[str],
    seeds: Sequence[int],
    by: str,
) -> list[Task]:
    """Return every task: each patient (or, ``by`` section, each section) is tested by models that never saw it.

    Raises
    ------
    TrainingError
        If there are fewer than two groups to hold out.
    """
    labelled = [section for section in sections if section.classes]
    groups = patients(labelled) if by == "patient" else [section.id for section in labelled]
    if len(groups) < 2:
        raise TrainingError(
            f"at least two labelled {by}s are needed to hold one out, found {', '.join(groups) or 'none'}",
            hint="name patients with --patient at ingest" if by == "patient" else "ingest more labelled sections",
        )
    tasks = [
        _task(labelled, option, modality, seed, group, by)
        for option, modality, seed, group in itertools.product(options, modalities, seeds, groups)
    ]
    return [task for task in tasks if any(section.id in task.test for section in _read(labelled, task.modalities))]


def run(
    tasks: Sequence[Task],
    sections: Sequence[SectionData],
    *,
    encoder: str,
    device: torch.device,
    heads: Registry[Any],
    jobs: int = 1,
    track: Track = silent,
) -> Iterator[Row]:
    """Yield the rows of every task, in order.

    A task computes in one thread, so that its figures do not depend on how many run beside it. A head that no seed
    changes is trained once, and its rows are repeated.
    """
    names = [_name(task, seeded=heads.load(task.options.head.name).seeded) for task in tasks]
    distinct = dict(zip(reversed(names), reversed(tasks), strict=True))
    order = list(dict.fromkeys(names))
    trainings = _each([distinct[name] for name in order], sections, encoder, device, heads, jobs)
    found = dict(zip(order, track(trainings, "evaluating", len(order)), strict=True))
    for task, name in zip(tasks, names, strict=True):
        yield from (row.model_copy(update={"seed": task.options.first_seed}) for row in found[name])


def _name(task: Task, *, seeded: bool) -> tuple[object, ...]:
    """What tells a task from others that learn something else."""
    return (task.head, task.modalities, task.test, task.options.first_seed if seeded else None)


def _each(
    tasks: Sequence[Task],
    sections: Sequence[SectionData],
    encoder: str,
    device: torch.device,
    heads: Registry[Any],
    jobs: int,
) -> Iterator[list[Row]]:
    if jobs == 1:
        with one_thread():
            yield from (run_task(task, sections, encoder, device, heads) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")
    arguments = (sections, encoder, device)
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, initializer=_prepare_worker, initargs=arguments) as pool:
        yield from pool.map(_run_in_worker, tasks)


def run_task(
    task: Task, sections: Sequence[SectionData], encoder: str, device: torch.device, heads: Registry[Any]
) -> list[Row]:
    """Train without the tested sections and return their figures; only a note where that leaves one class."""
    read = _read(sections, task.modalities)
    seen = [section for section in read if section.id not in task.test]
    tested = [section for section in read if section.id in task.test]
    if {label for section in seen for label in section.classes} != {0, 1}:
        return [_row(task, section, encoder, note="not held out: the others have one class only") for section in tested]
    trained = train(seen, task.options, heads=heads, device=device)
    return [_row(task, section, encoder, **_figures(trained, section)) for section in tested]


def _read(sections: Sequence[SectionData], modalities: str) -> list[SectionData]:
    """The sections that measure some of these modalities, as if they measured no other."""
    held = VIEWS[modalities]
    read = [with_modalities(section, genes="genes" in held, image="image" in held) for section in sections]
    return [section for section in read if section.expression is not None or section.image is not None]


def _figures(trained: Trained, section: SectionData) -> dict[str, Any]:
    known, ensemble = section.labels >= 0, trained.ensemble
    view = ensemble.view(section)
    calibration = trained.calibrations[view]
    scores = ensemble.score(section, view, tuple(dict.fromkeys((view, *calibration.slopes))))
    logits = {part: values.mean(axis=0)[known] for part, values in scores.logits.items()}
    figures = measure(calibration.probabilities(logits), section.labels[known], calibration.threshold)
    unweighed = measure(expit(logits[view]), section.labels[known], 0.5).auc
    note = "" if figures.auc is not None else "one class only: no AUC"
    said = {
        "threshold": calibration.threshold,
        "calibration": calibration.method,
        "shares": calibration.shares,
        "auc_unweighed": unweighed,
    }
    return {**asdict(figures), **said, "note": note}


def _row(task: Task, section: SectionData, encoder: str, **figures: Any) -> Row:
    return Row(
        head=task.head,
        encoder=encoder if "image" in task.modalities else "none",
        modalities=task.modalities,
        seed=task.options.first_seed,
        section=section.id,
        patient=section.patient,
        platform=section.platform,
        **figures,
    )


def _task(
    sections: Sequence[SectionData], options: TrainOptions, modality: str, seed: int, group: str, by: str
) -> Task:
    test = tuple(section.id for section in sections if group == (section.patient if by == "patient" else section.id))
    seeded = options.model_copy(update={"seeds": 1, "first_seed": seed})
    return Task(options.head.label or options.head.name, modality, seeded, test)


_worker: dict[str, Any] = {}


def _prepare_worker(sections: Sequence[SectionData], encoder: str, device: torch.device) -> None:
    _worker.update(sections=sections, encoder=encoder, device=device, heads=load_plugins().heads)


def _run_in_worker(task: Task) -> list[Row]:
    with one_thread():
        return run_task(task, _worker["sections"], _worker["encoder"], _worker["device"], _worker["heads"])
