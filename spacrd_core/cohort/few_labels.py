"""Patients of whom only few spots are labelled, such as those that a pathologist has just corrected.

Their labelled spots train, and nothing else of them does. With all their spots, what is fitted without labels (genes,
components) would follow directions in which only their sections vary, and of which hardly any label tells what they
mean. Held out, they would say nothing about other patients: few spots are noise, and spots that were chosen because
they are hard are not a sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import UNKNOWN, patients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData

ENOUGH_LABELS = 50  # spots of a patient


def split_by_labels(sections: Sequence[SectionData]) -> tuple[list[SectionData], list[SectionData]]:
    """Return the sections of patients with labels enough, and the others; no patient has enough: all, and none."""
    enough = {*patients_with_enough(sections)}
    if not enough:
        return [*sections], []
    return (
        [section for section in sections if section.patient in enough],
        [section for section in sections if section.patient not in enough],
    )


def held_out_patients(sections: Sequence[SectionData]) -> list[str]:
    """Return the patients that are held out, sorted: those with labels enough, or all if fewer than two have them."""
    enough = patients_with_enough(sections)
    return enough if len(enough) > 1 else patients(sections)


def patients_with_enough(sections: Sequence[SectionData]) -> list[str]:
    """Return the patients with labels enough, sorted."""
    counts = dict.fromkeys(patients(sections), 0)
    for section in sections:
        counts[section.patient] += int((section.labels != UNKNOWN).sum())
    return [patient for patient, count in counts.items() if count >= ENOUGH_LABELS]
