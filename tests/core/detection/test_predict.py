"""Every spot gets a call from what was measured there, and none where nothing was."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from core.conftest import MakeData
from scipy import sparse
from stand_ins.carcinoma import LISTS, NEGATIVE, POSITIVE, carcinoma_section

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detection.predict import lists_coverage, predict
from spacrd_core.genes.expression import Expression
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.model.decision import Decision, DecisionRule
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.thresholds import ThresholdRule
from spacrd_core.plugins import Plugins

SPOT = 7


@pytest.fixture
def trained(make_data: MakeData, plugins: Plugins) -> CalibratedEnsemble:
    options = TrainOptions(head=HeadOptions(name="linear"), cohort=CohortOptions(panel_genes=20), seeds=1)
    return train_calibrated(
        [make_data("A", 1), make_data("B", 2)], options, heads=plugins.heads, device=torch.device("cpu")
    )


def without_counts(section: SectionData) -> SectionData:
    assert section.expression is not None
    kept = sparse.diags_array((np.arange(len(section.labels)) != SPOT).astype(np.float32))
    values = sparse.csr_matrix(kept @ section.expression.values)  # noqa: PD011 - a sparse matrix, no frame
    return replace(section, expression=replace(section.expression, values=values))


def off_the_image(section: SectionData) -> SectionData:
    assert section.image_coverage is not None
    coverage = section.image_coverage.copy()
    coverage[SPOT] = 0.0
    return replace(section, image_coverage=coverage)


def table(trained: CalibratedEnsemble, section: SectionData) -> pd.DataFrame:
    return predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(section))


def uncertain_although_one_class_fits(table: pd.DataFrame) -> bool:
    return bool(((table["label"] == "uncertain") & table["set"].isin(["cancer", "normal"])).any())


def test_a_spot_whose_set_holds_no_class_is_uncertain(trained: CalibratedEnsemble, make_data: MakeData) -> None:
    found = table(trained, make_data("D", 4))
    assert (found["set"] == "none").any()
    assert (found["label"][found["set"] == "none"] == "uncertain").all()


def test_a_spot_without_counts_is_uncertain_where_genes_alone_are_read(
    trained: CalibratedEnsemble, make_data: MakeData
) -> None:
    found = table(trained, without_counts(make_data("D", 4, image=False)))
    assert np.flatnonzero(found["gene_coverage"] == 0).tolist() == [SPOT]
    assert set(found["gene_coverage"]) == {0.0, 1.0}
    assert found["label"].iloc[SPOT] == "uncertain"
    assert not uncertain_although_one_class_fits(found.drop(found.index[SPOT]))


def test_a_spot_without_counts_is_called_where_its_image_is_read(
    trained: CalibratedEnsemble, make_data: MakeData
) -> None:
    found = table(trained, without_counts(make_data("D", 4)))
    assert found["gene_coverage"].iloc[SPOT] == 0
    assert not uncertain_although_one_class_fits(found)


def test_a_spot_with_neither_counts_nor_image_is_uncertain(trained: CalibratedEnsemble, make_data: MakeData) -> None:
    found = table(trained, off_the_image(without_counts(make_data("D", 4))))
    assert found["label"].iloc[SPOT] == "uncertain"
    assert not uncertain_although_one_class_fits(found.drop(found.index[SPOT]))


def test_a_table_tells_which_spots_are_uncertain_whatever_the_threshold(
    trained: CalibratedEnsemble, make_data: MakeData
) -> None:
    section = off_the_image(without_counts(make_data("D", 4)))
    rules = [ThresholdRule("fixed", value) for value in (0.2, 0.8)]
    low, high = (
        predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(section), DecisionRule(rule))
        for rule in rules
    )
    assert low["doubtful"].dtype == bool
    assert low["doubtful"].equals(high["doubtful"])
    assert low["doubtful"].iloc[SPOT]
    assert low["doubtful"][low["set"] == "none"].all()
    for found, threshold in ((low, 0.2), (high, 0.8)):
        near = (found["probability"] - threshold).abs() < found["spread"]
        assert (found["label"] == "uncertain").equals(found["doubtful"] | near)


def test_a_table_records_its_threshold_and_sets(trained: CalibratedEnsemble, make_data: MakeData) -> None:
    target = make_data("D", 4)
    own, calibration = table(trained, target), trained.calibrations["image+genes"]
    assert Decision.from_table(own) == Decision(calibration.threshold, calibration.threshold_rule, 0.1, 0.3)
    assert own["set"].cat.categories.tolist() == ["cancer", "normal", "both", "none"]
    assert own["set"].notna().all()
    rule = ThresholdRule("prevalence", 1 / 9)
    found = predict(trained.ensemble, trained.calibrations, trained.ensemble.prepare(target), DecisionRule(rule))
    called = Decision.from_table(found)
    assert called is not None
    assert (found["probability"] >= called.threshold).sum() == 9
    assert found["probability"].equals(own["probability"])


def test_one_patient_held_out_gives_no_sets(make_data: MakeData, plugins: Plugins) -> None:
    alone = [make_data("A", 1), replace(make_data("B", 2), labels=np.zeros(81, dtype=np.int64))]
    options = TrainOptions(head=HeadOptions(name="linear"), cohort=CohortOptions(panel_genes=20), seeds=1)
    trained = train_calibrated(alone, options, heads=plugins.heads, device=torch.device("cpu"))
    found = table(trained, make_data("D", 4))
    assert found["set"].isna().all()
    called = Decision.from_table(found)
    assert called is not None
    assert (called.alpha, called.label_alpha) == (None, None)


def test_the_coverage_of_the_lists_is_the_share_of_their_genes_and_0_where_none_was_counted() -> None:
    section = without_counts(carcinoma_section())
    assert set(np.delete(lists_coverage(section, LISTS), SPOT)) == {1.0}
    assert lists_coverage(section, LISTS)[SPOT] == 0
    assert section.expression is not None
    values = section.expression.values[:, section.expression.columns_of(POSITIVE)]  # noqa: PD011 - a sparse matrix
    some = Expression(values, section.expression.totals, POSITIVE)
    found = lists_coverage(replace(section, expression=some), LISTS)
    assert found[0] == len(POSITIVE) / len({*POSITIVE, *NEGATIVE})
    assert not lists_coverage(replace(section, expression=None), LISTS).any()
