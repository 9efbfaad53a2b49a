"""The trainings of an evaluation, as tasks of any executor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.devices import choose_device, one_thread
from spacrd_core.evaluation.inner_folds import already_scored, inner_folds, score_inner_fold
from spacrd_core.evaluation.plan import select
from spacrd_core.evaluation.rows import row_of_trained, row_without_training
from spacrd_core.model.calibrated_ensemble import train_calibrated
from spacrd_core.model.training_set import TrainingSet, has_both_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.evaluation.inner_folds import InnerFold, Read, Scoring
    from spacrd_core.evaluation.plan import Task
    from spacrd_core.evaluation.summary import Row
    from spacrd_core.executors.local import Local
    from spacrd_core.executors.task import Worker
    from spacrd_core.model.fold_scores import FoldScores
    from spacrd_core.plugins import Registry


@dataclass(frozen=True, kw_only=True)
class InnerTask:
    """A training without two groups of patients, and the held-out sections to score."""

    task: Task
    training: tuple[Read, ...]
    scored: tuple[Scoring, ...]
    sections: Local[Sequence[SectionData]]
    heads: Local[Registry[Any]]

    def run(self, worker: Worker) -> dict[Scoring, FoldScores]:
        """Return the scores of the held-out sections."""
        with one_thread():
            return score_inner_fold(
                self.training,
                self.scored,
                select(self.sections.get(), self.task.modalities),
                self.task.options,
                heads=self.heads.get(),
                device=choose_device(worker.device),
            )


@dataclass(frozen=True, kw_only=True)
class HeldOutTask:
    """A training without the test sections, and their test; ``folds`` are the scores inside the training set."""

    task: Task
    sections: Local[Sequence[SectionData]]
    heads: Local[Registry[Any]]
    encoder: str
    folds: tuple[tuple[tuple[str, ...], tuple[FoldScores, ...]], ...] = ()

    def run(self, worker: Worker) -> list[Row]:
        """Return the rows of the test sections; they have a note only if one class is left to train on."""
        training, test = split(self.task, self.sections.get())
        if not has_both_classes(training):
            return [row_without_training(self.task, section, self.encoder) for section in test]
        with one_thread():
            trained = train_calibrated(
                training,
                self.task.options,
                heads=self.heads.get(),
                device=choose_device(worker.device),
                validate=already_scored(self.folds),
            )
            return [row_of_trained(self.task, trained, section, self.encoder) for section in test]


def folds_inside(task: Task, sections: Sequence[SectionData], heads: Registry[Any]) -> list[InnerFold]:
    """Return the folds of a test's training set; none if nothing is calibrated."""
    training, _ = split(task, sections)
    if not task.options.calibrate or not has_both_classes(training):
        return []
    return [*inner_folds(task.groups, TrainingSet.select(training, task.options, heads))]


def split(task: Task, sections: Sequence[SectionData]) -> tuple[list[SectionData], list[SectionData]]:
    """Return the sections of the training and those of the test, with the task's modalities."""
    selected = select(sections, task.modalities)
    training = [section for section in selected if section.id not in task.test]
    return training, [section for section in selected if section.id in task.test]
