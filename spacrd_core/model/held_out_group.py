"""A group of patients that a training holds out, and those it learns from meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.model.training_set import has_both_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.cross_validation import OutOfFold


@dataclass(frozen=True)
class HeldOutGroup:
    """The scores of the sections of a group of patients, by models that were trained on the others.

    ``kept`` is how many groups were kept from an interrupted training, if this is one of them; otherwise 0.
    """

    group: tuple[str, ...]
    folds: list[OutOfFold]
    kept: int = 0


def other_patients(group: Sequence[str], sections: Sequence[SectionData]) -> list[SectionData]:
    """Return the sections of the patients that are not held out."""
    return [section for section in sections if section.patient not in group]


def can_be_held_out(group: Sequence[str], sections: Sequence[SectionData]) -> bool:
    """Return whether the other patients' sections can train a model: they have spots of both classes."""
    return has_both_classes(other_patients(group, sections))
