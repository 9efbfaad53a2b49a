"""Cross-validation whose finished groups survive an interruption of the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.detector.training_folder import contents_of, keep
from spacrd_core.detector.training_inputs import digest
from spacrd_core.model.fold_file import from_bytes, max_bytes, to_bytes
from spacrd_core.model.fold_scores import FoldScores
from spacrd_core.model.held_out_group import HeldOutGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.calibrated_ensemble import CrossValidation
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.model.folds import Groups
    from spacrd_core.prior.options import PriorOptions


@dataclass(frozen=True, kw_only=True)
class KeptGroups:
    """Keeps the scores of every group in a folder as soon as it is done, and uses those that are there.

    ``facts`` are what the scores depend on beside the sections. The kept groups are the first to be yielded.
    """

    folder: Path
    facts: Mapping[str, Any]
    validate: CrossValidation

    def __call__(
        self,
        sections: Sequence[SectionData],
        groups: Groups,
        fit: Callable[[Sequence[SectionData], str], Ensemble],
        prior: PriorOptions | None,
    ) -> Iterator[HeldOutGroup]:
        """Yield every group that could be held out, with the scores of its sections."""
        if not groups:
            return
        inputs = digest([sections, self.facts, prior.model_dump(mode="json") if prior else None])
        keys = {group: digest([inputs, group]) for group in groups}
        kept = {group: folds for group in groups if (folds := self._read(keys[group], group, sections))}
        for group, folds in kept.items():
            yield HeldOutGroup(group, folds, kept=len(kept))
        missing = tuple(group for group in groups if group not in kept)
        for each in self.validate(sections, missing, fit, prior):
            keep(self.folder, keys[each.group], to_bytes([*map(FoldScores.from_fold, each.folds)]))
            yield each

    def _read(self, key: str, group: Sequence[str], sections: Sequence[SectionData]) -> list[Any]:
        """Return the scores of a group's sections; none if they were not kept, or are damaged."""
        held_out = {section.id: section for section in sections if section.patient in group}
        limit = max_bytes(sum(len(section.labels) for section in held_out.values()))
        for content in contents_of(self.folder, key, limit=limit):
            scores = from_bytes(content) or []
            if [each.section for each in scores] == [*held_out] and all(_fits(each, held_out) for each in scores):
                return [each.with_data(held_out) for each in scores]
        return []


def _fits(scores: FoldScores, sections: Mapping[str, SectionData]) -> bool:
    """Return whether there is a finite score of every labelled spot of a section."""
    labelled = int((sections[scores.section].labels >= 0).sum())
    parts = [
        values for by_set in (scores.logits, scores.combined) for found in by_set.values() for values in found.values()
    ]
    arrays = parts if scores.as_read is None else [*parts, scores.as_read]
    return all(values.shape == (labelled,) and bool(np.isfinite(values).all()) for values in arrays)
