"""How often an evaluation trains, and that sharing a training changes no number."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from core.conftest import MakeData
from stand_ins.carcinoma import LISTS, carcinoma_section
from stand_ins.counting_head import NAME, CountingHead, with_counting_head

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.evaluation.fold_tasks import folds_inside, split
from spacrd_core.evaluation.plan import Task, plan
from spacrd_core.evaluation.rows import row_of_trained
from spacrd_core.evaluation.run import run
from spacrd_core.evaluation.summary import Row
from spacrd_core.executors.local import Local
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.plugins import Plugins, Registry
from spacrd_core.prior.read import with_training_evidence

SMALL = CohortOptions(panel_genes=12)
COUNTING = TrainOptions(head=NAME, cohort=SMALL, seeds=1)
CARCINOMA = TrainOptions(cohort=CohortOptions(panel_genes=100), seeds=1)


def evaluated(tasks: Sequence[Task], sections: list[SectionData], heads: Registry[Any]) -> list[Row]:
    return list(run(tasks, Local(list, sections), encoder="", device="cpu", heads=heads))


def trained_one_by_one(tasks: Sequence[Task], sections: list[SectionData], heads: Registry[Any]) -> Iterator[Row]:
    """The rows of trainings that know of no other."""
    for task in tasks:
        training, test = split(task, sections)
        trained = train_calibrated(training, task.options, heads=heads, device=torch.device("cpu"))
        yield from (row_of_trained(task, trained, section, "") for section in test)


def trainings(patients: int, make_data: MakeData, plugins: Plugins, options: TrainOptions = COUNTING) -> list[int]:
    """The number of patients that every training learned from."""
    sections, heads = [make_data(f"P{number}", number) for number in range(patients)], with_counting_head(plugins)
    rows = evaluated(plan(sections, [options], ["genes"], (42,), "patient"), sections, heads)
    assert sorted(row.patient for row in rows) == sorted(section.patient for section in sections)
    assert all(row.auc is not None and row.calibration != "none" for row in rows)
    return [spots // len(sections[0].labels) for spots in CountingHead.trained]


def test_leaving_out_two_patients_is_one_training(make_data: MakeData, plugins: Plugins) -> None:
    assert sorted(trainings(4, make_data, plugins)) == [*[2] * 6, *[3] * 4], "4 * 3 / 2 pairs and 4 tests"


def test_an_evaluation_without_calibration_trains_for_the_tests_only(make_data: MakeData, plugins: Plugins) -> None:
    sections, heads = [make_data("A", 1), make_data("B", 2), make_data("C", 3)], with_counting_head(plugins)
    tasks = plan(sections, [COUNTING.model_copy(update={"calibrate": False})], ["genes"], (42,), "patient")
    evaluated(tasks, sections, heads)
    assert len(CountingHead.trained) == 3


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("patients", [10, 16])
def test_from_ten_patients_on_the_number_of_trainings_does_not_grow(
    patients: int, make_data: MakeData, plugins: Plugins
) -> None:
    found = trainings(patients, make_data, plugins)
    assert len(found) == 8 * 7 // 2 + 8
    assert min(found) >= patients - 4


def test_folds_set_the_number_of_trainings(make_data: MakeData, plugins: Plugins) -> None:
    assert len(trainings(6, make_data, plugins, COUNTING.model_copy(update={"folds": 3}))) == 3 + 3


@pytest.mark.slow
def test_with_folds_of_patients_each_of_ten_is_held_out_alone(make_data: MakeData, plugins: Plugins) -> None:
    found = trainings(10, make_data, plugins, COUNTING.model_copy(update={"folds": "patients"}))
    assert sorted(found) == [*[8] * 45, *[9] * 10]


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("by", ["patient", "section"])
def test_a_shared_training_gives_the_metrics_of_an_unshared_one(make_data: MakeData, plugins: Plugins, by: str) -> None:
    sections = [make_data("A", 1), make_data("A", 2), make_data("B", 3), make_data("C", 4, image=False)]
    tasks = plan(sections, [TrainOptions(head="linear", cohort=SMALL)], ["image+genes", "genes"], (42,), by)
    assert evaluated(tasks, sections, plugins.heads) == [*trained_one_by_one(tasks, sections, plugins.heads)]


@pytest.mark.slow  # its last digits differed once under load; the test above shares trainings
def test_a_training_that_tests_share_scores_with_the_prior_for_those_that_use_it(plugins: Plugins) -> None:
    """Tissue without epithelium is among the training sections of all tests but its own."""
    made = [carcinoma_section(name, seed, epithelium=0.01 if name == "D" else 1.0) for seed, name in enumerate("ABCD")]
    sections = [with_training_evidence(section, LISTS) for section in made]
    tasks = plan(sections, [CARCINOMA], ["genes"], (42,), "patient")
    rows = evaluated(tasks, sections, plugins.heads)
    assert rows == [*trained_one_by_one(tasks, sections, plugins.heads)]
    inside = [folds_inside(task, sections, plugins.heads) for task in tasks]
    used = [{scoring.with_prior for fold in folds for scoring in fold.scored} for folds in inside]
    assert used == [{False}, {False}, {False}, {True}]
