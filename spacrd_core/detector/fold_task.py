"""Hold a group of patients out of a training: a task of any executor."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from spacrd_core.cohort.section_data import with_modalities
from spacrd_core.devices import choose_device, one_thread
from spacrd_core.executors.run import run_tasks
from spacrd_core.model.cross_validation import hold_out
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.fold_scores import FoldScores
from spacrd_core.model.held_out_group import HeldOutGroup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.executors.local import Local
    from spacrd_core.executors.pool import Executor
    from spacrd_core.executors.task import Worker
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.model.folds import Groups
    from spacrd_core.plugins import Registry
    from spacrd_core.prior.options import PriorOptions
    from spacrd_core.progress import Track


@dataclass(frozen=True, kw_only=True)
class FoldTask:
    """The patients that are held out, the sections of all patients, and which modalities are read of each of these."""

    group: tuple[str, ...]
    sections: Local[Sequence[SectionData]]
    modalities: Mapping[str, Mapping[str, bool]]
    options: TrainOptions
    prior: PriorOptions | None
    heads: Local[Registry[Any]]

    def run(self, worker: Worker) -> list[FoldScores]:
        """Return the scores of every section of the group; its data are not sent back."""
        loaded = {section.id: section for section in self.sections.get()}
        sections = [with_modalities(loaded[name], **read) for name, read in self.modalities.items()]
        with one_thread():
            device = choose_device(worker.device)
            folds = hold_out(self.group, sections, lambda training, _: self._fit(training, device), self.prior)
        return [*map(FoldScores.from_fold, folds)]

    def _fit(self, training: Sequence[SectionData], device: Any) -> Ensemble:
        options = self.options
        return Ensemble.train(
            training,
            head_options=options.head,
            options=options.cohort,
            seeds=options.seed_list,
            heads=self.heads.get(),
            device=device,
            computation=options.computation,
            logits_only=True,
        )


@dataclass(frozen=True, kw_only=True)
class FoldsOnExecutor:
    """Cross-validation with one task per group of patients."""

    executor: Executor
    sections: Local[Sequence[SectionData]]
    options: TrainOptions
    heads: Local[Registry[Any]]
    device: str
    track: Track

    def __call__(
        self, sections: Sequence[SectionData], groups: Groups, _: object, prior: PriorOptions | None
    ) -> Iterator[HeldOutGroup]:
        """Yield every group that could be held out, with the scores of its sections, in the order in which they end.

        An error is raised when the others have ended.
        """
        read = {
            section.id: {"genes": section.expression is not None, "image": section.image is not None}
            for section in sections
        }
        shared: dict[str, Any] = {"sections": self.sections, "modalities": read, "heads": self.heads}
        tasks = [FoldTask(group=group, options=self.options, prior=prior, **shared) for group in groups]
        by_id = {section.id: section for section in sections}
        errors = {}
        open_pool = partial(self.executor.open, self.device, lambda _: None)
        with closing(run_tasks(open_pool, tasks)) as outcomes:
            for outcome in self.track(outcomes, "holding patients out", len(tasks)):
                if outcome.error:
                    errors[outcome.task.group] = outcome.error
                elif scored := outcome.result:
                    yield HeldOutGroup(outcome.task.group, [scores.with_data(by_id) for scores in scored])
        for group in filter(errors.get, groups):
            raise errors[group]
