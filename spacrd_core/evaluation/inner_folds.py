"""Trainings without two groups of patients: the threshold of a test on one is chosen on the other.

Without the patients i and j, one model scores j where i is tested, and i where j is tested: it is trained once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from spacrd_core.model.cross_validation import score
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.fold_scores import FoldScores
from spacrd_core.model.held_out_group import HeldOutGroup
from spacrd_core.model.training_set import TrainingSet, has_both_classes, without_modality

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.calibrated_ensemble import CrossValidation, TrainOptions
    from spacrd_core.model.folds import Groups
    from spacrd_core.plugins import Registry


class Read(NamedTuple):
    """A section to learn from, and its modality that is not read; '' for none."""

    section: str
    unread: str

    def select(self, sections: Mapping[str, SectionData]) -> SectionData:
        """Return the section as it is read."""
        return without_modality(sections[self.section], self.unread)


class Scoring(NamedTuple):
    """A held-out section, and whether its scores are combined with what it says of itself."""

    read: Read
    with_prior: bool


@dataclass(frozen=True)
class InnerFold:
    """A group of patients of a training set, the sections of the others to learn from, and its own to score."""

    group: tuple[str, ...]
    training: tuple[Read, ...]
    scored: tuple[Scoring, ...]


def inner_folds(groups: Groups, chosen: TrainingSet) -> Iterator[InnerFold]:
    """Yield the folds of a training set; a group is skipped if it has no section, or the others have one class only."""
    for group in groups:
        others = [section for section in chosen.sections if section.patient not in group]
        held_out = [section for section in chosen.sections if section.patient in group]
        if held_out and has_both_classes(others):
            training = tuple(_read(section, chosen) for section in others)
            scored = tuple(Scoring(_read(section, chosen), chosen.prior is not None) for section in held_out)
            yield InnerFold(group, training, scored)


def score_inner_fold(
    training: Sequence[Read],
    scored: Sequence[Scoring],
    sections: Sequence[SectionData],
    options: TrainOptions,
    *,
    heads: Registry[Any],
    device: torch.device,
) -> dict[Scoring, FoldScores]:
    """Train on some sections, and return the scores of others."""
    by_id = {section.id: section for section in sections}
    ensemble = Ensemble.train(
        [read.select(by_id) for read in training],
        head_options=options.head,
        options=options.cohort,
        seeds=options.seed_list,
        heads=heads,
        device=device,
        computation=options.computation,
        logits_only=True,
    )
    return {
        each: FoldScores.from_fold(score(ensemble, each.read.select(by_id), options.prior if each.with_prior else None))
        for each in scored
    }


def already_scored(folds: Sequence[tuple[tuple[str, ...], Sequence[FoldScores]]]) -> CrossValidation:
    """Return a cross-validation of a training set whose groups of patients have been scored."""

    def validate(sections: Sequence[SectionData], *_: object) -> Iterator[HeldOutGroup]:
        by_id = {section.id: section for section in sections}
        for group, scores in folds:
            yield HeldOutGroup(group, [each.with_data(by_id) for each in scores])

    return validate


def _read(section: SectionData, chosen: TrainingSet) -> Read:
    return Read(section.id, chosen.unread.get(section.id, ""))
