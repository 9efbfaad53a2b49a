"""One rule decides which spots are cancer by their cells or bins, at ingest and in training."""

from pathlib import Path

import numpy as np
from bundles.labelled import CELLS, GRID_NAMES, Grid, attach, table

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import UNKNOWN, label_values
from spacrd_core.labels.cancer_fraction import DEFAULT_CANCER_FRACTION, is_cancer

TYPES = (*("DCIS_1", "DCIS_1", "Stromal", "Stromal"), *("DCIS_1", "Stromal", "Stromal", "Stromal"))


def test_the_fraction_itself_is_cancer_and_an_unknown_one_is_not() -> None:
    assert is_cancer(np.array([0.25, 0.5, 0.75, np.nan])).tolist() == [False, True, True, False]
    assert is_cancer(np.array([0.25, 0.5]), 0.25).tolist() == [True, True]


def test_training_by_default_uses_the_stored_labels(tmp_path: Path) -> None:
    assert CohortOptions().cancer_fraction == DEFAULT_CANCER_FRACTION
    section = Grid(GRID_NAMES, CELLS, kind="cell").section()
    adata = attach(tmp_path / "cells.csv", table("cell_id,group", CELLS[:8], TYPES), section).counts
    stored = adata.obs["label"].astype(object).map({"cancer": 1, "normal": 0}).fillna(UNKNOWN)
    assert label_values(adata).tolist() == stored.tolist()
    assert label_values(adata).tolist()[:2] == [1, 0]


def test_training_can_use_another_fraction_than_the_stored_labels(tmp_path: Path) -> None:
    section = Grid(GRID_NAMES, CELLS, kind="cell").section()
    adata = attach(tmp_path / "cells.csv", table("cell_id,group", CELLS[:8], TYPES), section).counts
    assert label_values(adata, cancer_fraction=0.25).tolist()[:3] == [1, 1, UNKNOWN]
