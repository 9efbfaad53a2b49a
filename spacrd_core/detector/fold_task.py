"""Hold one patient out of a training: a task of any executor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.cohort.section_data import patients, with_modalities
from spacrd_core.devices import choose_device, one_thread
from spacrd_core.executors.run import run_in_order
from spacrd_core.model.cross_validation import OutOfFold, hold_out
from spacrd_core.model.ensemble import Ensemble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.executors.local import Local
    from spacrd_core.executors.pool import Executor
    from spacrd_core.executors.task import Worker
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.plugins import Registry
    from spacrd_core.prior.options import PriorOptions
    from spacrd_core.progress import Track


@dataclass(frozen=True, kw_only=True)
class FoldTask:
    """The patient that is held out, the sections of all patients, and which modalities are read of each of these."""

    patient: str
    sections: Local[Sequence[SectionData]]
    modalities: Mapping[str, Mapping[str, bool]]
    options: TrainOptions
    prior: PriorOptions | None
    heads: Local[Registry[Any]]

    def run(self, worker: Worker) -> list[tuple[str, tuple[Any, ...]]]:
        """Return the id and the scores of every section of the patient; its data are not sent back."""
        loaded = {section.id: section for section in self.sections.get()}
        sections = [with_modalities(loaded[name], **read) for name, read in self.modalities.items()]
        with one_thread():
            device = choose_device(worker.device)
            folds = hold_out(self.patient, sections, lambda training, _: self._fit(training, device), self.prior)
        return [(fold.section.id, (fold.logits, fold.combined, fold.as_read, fold.mixtures)) for fold in folds]

    def _fit(self, training: Sequence[SectionData], device: Any) -> Ensemble:
        options = self.options
        return Ensemble.train(
            training,
            head_options=options.head,
            options=options.cohort,
            seeds=options.seed_list,
            heads=self.heads.get(),
            device=device,
        )


@dataclass(frozen=True, kw_only=True)
class FoldsOnExecutor:
    """Cross-validation with one task per patient."""

    executor: Executor
    sections: Local[Sequence[SectionData]]
    options: TrainOptions
    heads: Local[Registry[Any]]
    device: str
    track: Track

    def __call__(
        self, sections: Sequence[SectionData], _: object, prior: PriorOptions | None
    ) -> Iterator[tuple[str, list[OutOfFold]]]:
        """Yield every patient that could be held out, with the scores of its sections."""
        read = {
            section.id: {"genes": section.expression is not None, "image": section.image is not None}
            for section in sections
        }
        shared: dict[str, Any] = {"sections": self.sections, "modalities": read, "heads": self.heads}
        tasks = [
            FoldTask(patient=patient, options=self.options, prior=prior, **shared) for patient in patients(sections)
        ]
        outcomes = run_in_order(self.executor, tasks, "holding patients out", device=self.device, track=self.track)
        by_id = {section.id: section for section in sections}
        for task, outcome in zip(tasks, outcomes, strict=True):
            if outcome.error:
                raise outcome.error
            if scored := outcome.result:
                yield task.patient, [OutOfFold(by_id[name], *scores) for name, scores in scored]
