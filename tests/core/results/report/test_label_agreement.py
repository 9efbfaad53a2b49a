"""Agreement of calls with given labels: only patients that the detector was not trained on are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sklearn.metrics import roc_auc_score

from spacrd_core.results.report.label_agreement import cohort_agreement, label_agreement

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.results.result import SectionResult

    Make = Callable[..., SectionResult]

TRAINED_ON = "the detector was trained on patient P1 (S9)"


def labelled(make: Make, given: list[str | None], called: list[str], **fields: object) -> SectionResult:
    """Return a section of 16 spots, of which the first have these labels and calls."""
    result = make("square", side=4)
    rest = 16 - len(given)
    result.adata.obs["label"] = [*given, *[None] * rest]
    spots = result.spots.assign(label=[*called, *["normal"] * rest], probability=[0.9, 0.2, 0.8, 0.4, *[0.1] * 12])
    return make("square", side=4, adata=result.adata, spots=spots, **fields)


def test_labels_and_calls_are_counted_and_the_auc_is_that_of_the_labelled_spots(make_result: Make) -> None:
    section = labelled(
        make_result, ["cancer", "cancer", "normal", "normal"], ["cancer", "uncertain", "cancer", "normal"]
    )
    found = label_agreement(section)
    assert found is not None
    assert found.spots == 4
    assert found.auc == pytest.approx(roc_auc_score([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.4]))
    assert found.confusion == {
        "cancer": {"cancer": 1, "normal": 0, "uncertain": 1},
        "normal": {"cancer": 1, "normal": 1, "uncertain": 0},
    }


def test_there_is_none_without_labels_and_no_auc_of_one_class(make_result: Make) -> None:
    assert label_agreement(labelled(make_result, [], [])) is None
    one_class = label_agreement(labelled(make_result, ["normal", "normal"], ["normal", "cancer"]))
    assert one_class is not None
    assert one_class.auc is None


def test_over_sections_those_of_training_patients_are_not_counted(make_result: Make) -> None:
    good = labelled(make_result, ["cancer", "normal"], ["cancer", "normal"])
    bad = labelled(make_result, ["normal", "cancer"], ["cancer", "normal"], section_id="S2")
    seen = labelled(make_result, ["cancer", "normal"], ["cancer", "normal"], trained_on=TRAINED_ON)
    unlabelled = labelled(make_result, [], [])
    pairs = [(each.summary(), label_agreement(each)) for each in (good, bad, seen, unlabelled)]
    found = cohort_agreement(pairs)
    assert found is not None
    assert (found.sections, found.patients, found.trained_on) == (2, 1, 1)
    assert found.auc == 0.5
    assert found.lowest == ("S2", 0.0)
    assert found.confusion["cancer"] == {"cancer": 1, "normal": 1, "uncertain": 0}
    assert cohort_agreement(pairs[3:]) is None
