"""The tests of an evaluation: every head, set of modalities and seed, and what is held out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.section_data import patients, with_modalities
from spacrd_core.errors import TrainingError
from spacrd_core.model.folds import Groups, deal, fold_count
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.calibrated_ensemble import TrainOptions


@dataclass(frozen=True)
class Task:
    """One training and its test: a head, its modalities, its options with a seed, and the test sections.

    ``groups`` are the patients that are held out together inside the training set.
    """

    head: str
    modalities: str
    options: TrainOptions
    test: tuple[str, ...]
    groups: Groups = ()


def plan(
    sections: Sequence[SectionData],
    options: Sequence[TrainOptions],
    modality_sets: Sequence[str],
    seeds: Sequence[int],
    by: str,
) -> list[Task]:
    """Return all tasks: each patient (or each section, with ``by`` section) is tested by models trained on the others.

    Patients are held out alone or in groups, as the options say; the groups are the same for all heads and seeds.

    Raises
    ------
    TrainingError
        If there are fewer than two patients or sections to hold out.
    """
    labelled = [section for section in sections if section.classes]
    _require_two(labelled, by)
    held_out = {
        modalities: _held_out(select(labelled, modalities), options[0], by, seed=seeds[0])
        for modalities in modality_sets
    }
    return [
        Task(
            option.head.label or option.head.name,
            modalities,
            option.model_copy(update={"seeds": 1, "first_seed": seed}),
            test,
            held_out[modalities][1],
        )
        for option, modalities, seed in itertools.product(options, modality_sets, seeds)
        for test in held_out[modalities][0]
    ]


def select(sections: Sequence[SectionData], modalities: str) -> list[SectionData]:
    """Return the sections that have some of these modalities, as if they had no others."""
    members = MODALITIES[modalities]
    selected = [with_modalities(section, genes="genes" in members, image="image" in members) for section in sections]
    return [section for section in selected if section.expression is not None or section.image is not None]


def _held_out(sections: Sequence[SectionData], options: TrainOptions, by: str, *, seed: int) -> tuple[Groups, Groups]:
    """The sections of every test, and the patients that are held out together inside its training set."""
    names, ids = patients(sections), [section.id for section in sections]
    count = fold_count(len(names), options.folds)
    groups = deal(names, count, seed=seed) if names else ()
    if by == "patient":
        return tuple(tuple(each.id for each in sections if each.patient in group) for group in groups), groups
    return deal(ids, len(ids) if count == len(names) else min(count, len(ids)), seed=seed), groups


def _require_two(labelled: Sequence[SectionData], by: str) -> None:
    found = patients(labelled) if by == "patient" else [section.id for section in labelled]
    if len(found) < 2:
        raise TrainingError(
            f"cross-validation needs at least two labelled {by}s, but found {listed(found) or 'none'}",
            hint="name patients with --patient at ingest" if by == "patient" else "ingest more labelled sections",
        )
