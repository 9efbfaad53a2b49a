from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from core.conftest import MakeData

from spacrd_core.cohort.section_data import SectionData
from spacrd_core.errors import TrainingError
from spacrd_core.evaluation import fold_tasks
from spacrd_core.evaluation.plan import plan
from spacrd_core.evaluation.run import run
from spacrd_core.evaluation.summary import Row, summarise
from spacrd_core.executors.local import Local
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.model.options import HeadOptions
from spacrd_core.plugins import Plugins

LINEAR = [TrainOptions(head=HeadOptions(name="linear"))]


def evaluated(sections: list[SectionData], plugins: Plugins, by: str = "patient") -> list[Row]:
    tasks = plan(sections, LINEAR, ["genes"], (42,), by)
    return list(run(tasks, Local(list, sections), encoder="", device="cpu", heads=plugins.heads))


def test_sections_of_one_patient_are_held_out_together(make_data: MakeData) -> None:
    sections = [make_data("A", 1), make_data("A", 2), make_data("B", 3)]
    assert [task.test for task in plan(sections, LINEAR, ["genes"], (42,), "patient")] == [("A1", "A2"), ("B3",)]
    assert [task.test for task in plan(sections, LINEAR, ["genes"], (42,), "section")] == [("A1",), ("A2",), ("B3",)]


def test_one_patient_alone_cannot_be_held_out(make_data: MakeData) -> None:
    with pytest.raises(TrainingError, match="at least two labelled patients"):
        plan([make_data("A", 1), make_data("A", 2)], LINEAR, ["genes"], (42,), "patient")


def test_nothing_of_a_held_out_patient_is_learned_from(make_data: MakeData, plugins: Plugins) -> None:
    sections = [make_data("A", 1), make_data("B", 2), make_data("C", 3)]
    target = sections[2]
    planted = replace(target, labels=1 - target.labels)
    honest, leaky = (evaluated([*sections[:2], some], plugins)[-1] for some in (target, planted))
    assert honest.auc is not None
    assert honest.threshold == leaky.threshold
    assert leaky.auc == pytest.approx(1 - honest.auc), "the model is the same; only the labels differ"


def test_a_fold_that_leaves_one_class_is_noted_and_the_others_go_on(make_data: MakeData, plugins: Plugins) -> None:
    healthy = [
        replace(make_data(name, seed), labels=np.zeros(81, dtype=np.int64)) for name, seed in (("B", 2), ("C", 3))
    ]
    rows = evaluated([make_data("A", 1), *healthy], plugins)
    assert rows[0].auc is None
    assert "one class only" in rows[0].note
    assert [row.brier is not None for row in rows] == [False, True, True]
    assert rows[1].auc is None


def test_patients_without_the_modality_are_not_held_out_from_it(make_data: MakeData) -> None:
    sections = [make_data("A", 1), make_data("B", 2, image=False), make_data("C", 3)]
    tasks = plan(sections, LINEAR, ["image+genes", "image"], (42,), "patient")
    found = [(task.modalities, task.test) for task in tasks]
    assert found == [*(("image+genes", (name,)) for name in ("A1", "B2", "C3")), ("image", ("A1",)), ("image", ("C3",))]


def test_a_head_that_no_seed_changes_is_trained_once_and_its_rows_repeated(
    make_data: MakeData, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections, trained = [make_data("A", 1), make_data("B", 2)], list[int]()

    def count(*given: Any, **named: Any) -> Any:
        trained.append(given[1].first_seed)
        return train_calibrated(*given, **named)

    monkeypatch.setattr(fold_tasks, "train_calibrated", count)
    deep = HeadOptions(name="spacrd", options={"deep_genes": True}, epochs={"reconstruct": 0, "detect": 1})
    brief = TrainOptions(head=deep, calibrate=False)
    tasks = plan(sections, [brief, *LINEAR], ["genes"], (1, 2), "patient")
    rows = list(run(tasks, Local(list, sections), encoder="", device="cpu", heads=plugins.heads))
    assert sorted(trained) == [1, 1, 1, 1, 2, 2]
    assert [(row.head, row.seed, row.patient) for row in rows] == [
        (head, seed, patient) for head in ("spacrd", "linear") for seed in (1, 2) for patient in "AB"
    ]
    linear = [row.model_dump(exclude={"seed"}) for row in rows if row.head == "linear"]
    assert linear[:2] == linear[2:]


def test_the_unweighted_fusion_is_reported_beside_the_weighted_one(make_data: MakeData, plugins: Plugins) -> None:
    sections = [make_data("A", 1), make_data("B", 2), make_data("C", 3)]
    tasks = plan(sections, LINEAR, ["image+genes"], (42,), "patient")
    rows = list(run(tasks, Local(list, sections), encoder="", device="cpu", heads=plugins.heads))
    assert [row.auc_unweighted for row in rows] == [row.auc for row in rows], "the baseline has no modality weights"
    assert summarise(rows)[0]["weights"] == {"image+genes": 1.0}


def test_the_summary_is_a_mean_over_patients_not_over_sections() -> None:
    def row(patient: str, seed: int, auc: float | None) -> Row:
        facts = {"head": "linear", "encoder": "none", "modalities": "genes", "platform": "st"}
        return Row(**facts, seed=seed, section=f"{patient}{auc}", patient=patient, auc=auc)

    rows = [row("A", 1, 0.9), row("A", 1, 0.7), row("A", 2, 0.8), row("B", 1, 0.6), row("B", 2, 0.4), row("C", 1, None)]
    summary = summarise(rows)[0]
    assert summary["auc_mean"] == pytest.approx((0.8 + 0.5) / 2)
    assert summary["auc_sd"] == pytest.approx(np.std([0.8, 0.5], ddof=1))
    assert summary["auc_seed_sd"] == pytest.approx(np.std([0.7, 0.6], ddof=1))
    assert (summary["patients"], summary["seeds"]) == (3, 2)
