"""Summaries of the rows of an evaluation."""

import numpy as np
import pytest

from spacrd_core.evaluation.summary import Row, Summary, patient_means, summarise
from spacrd_core.metrics.bootstrap import patient_interval


def row(patient: str, seed: int, auc: float | None, *, section: str = "", head: str = "linear") -> Row:
    facts = {"head": head, "encoder": "none", "modalities": "genes", "platform": "st"}
    return Row(**facts, seed=seed, section=section or patient, patient=patient, auc=auc)


ROWS = [
    row("A", 1, 0.9, section="A1"),
    row("A", 1, 0.7, section="A2"),
    row("A", 2, 0.8, section="A1"),
    row("B", 1, 0.6),
    row("B", 2, 0.4),
    row("C", 1, None),
    row("C", 2, None),
]


def test_a_patients_figure_is_the_mean_over_its_sections_and_seeds() -> None:
    assert patient_means(ROWS, "auc") == pytest.approx({"A": 0.8, "B": 0.5})


def test_the_summary_is_a_mean_over_patients_with_the_interval_of_resampled_patients() -> None:
    summary = summarise(ROWS)[0]
    assert summary["auc_mean"] == pytest.approx(0.65)
    assert summary["auc_sd"] == pytest.approx(np.std([0.8, 0.5], ddof=1))
    assert (summary["auc_low"], summary["auc_high"]) == pytest.approx(patient_interval([0.8, 0.5]))
    assert summary["auc_by_patient"] == pytest.approx({"A": 0.8, "B": 0.5})


def test_seeds_stand_side_by_side() -> None:
    summary = summarise(ROWS)[0]
    assert summary["auc_by_seed"] == pytest.approx({1: (0.8 + 0.6) / 2, 2: (0.8 + 0.4) / 2})
    assert summary["auc_seed_sd"] == pytest.approx(np.std([0.7, 0.6], ddof=1))


def test_one_patient_with_an_auc_has_no_interval() -> None:
    summary = summarise([row("A", 1, 0.9), row("C", 1, None)])[0]
    assert (summary["auc_mean"], summary["auc_low"], summary["auc_high"]) == (0.9, None, None)


def test_no_auc_at_all_is_no_mean() -> None:
    summary = summarise([row("C", 1, None)])[0]
    assert (summary["auc_mean"], summary["auc_by_patient"], summary["auc_by_seed"]) == (None, {}, {1: None})


def test_heads_are_summed_up_apart_and_in_their_order() -> None:
    rows = [row("A", 1, 0.9, head="spacrd"), row("A", 1, 0.6), row("B", 1, 0.7, head="spacrd")]
    summed = {str(line["head"]): line["auc_mean"] for line in summarise(rows)}
    assert list(summed) == ["spacrd", "linear"]
    assert summed == pytest.approx({"spacrd": 0.8, "linear": 0.6})


def test_a_section_without_an_image_belongs_to_the_mean_of_its_head() -> None:
    rows = [row("A", 1, 0.9), row("B", 1, 0.7).model_copy(update={"encoder": "stain"})]
    (summary,) = summarise(rows)
    assert summary["encoder"] == "stain"
    assert summary["auc_mean"] == pytest.approx(0.8)


def test_a_notebook_shows_the_summary_as_a_table_of_its_figures() -> None:
    lines = summarise([*ROWS, row("A", 1, 0.5, head="<b>")])
    summary = Summary(lines)
    assert summary == lines
    assert [*summary.table["head"]] == ["linear", "<b>"]
    assert summary.table["auc_mean"].tolist() == pytest.approx([0.65, 0.5])
    assert not {"auc_by_patient", "auc_by_seed", "weights"} & {*summary.table}
    html = summary._repr_html_()
    assert "<td>0.650</td>" in html
    assert "&lt;b&gt;" in html
