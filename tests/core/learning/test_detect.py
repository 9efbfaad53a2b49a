"""Every spot gets a call from what was measured there, and none where nothing was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import sparse

from spacrd_core.learning.detect import predict
from spacrd_core.learning.ensemble import HeadChoice
from spacrd_core.learning.lens import CohortOptions
from spacrd_core.learning.train import Trained, TrainOptions, train

if TYPE_CHECKING:
    import pandas as pd
    from conftest import MakeData

    from spacrd_core.learning.sections import SectionData
    from spacrd_core.plugins import Plugins

SPOT = 7


@pytest.fixture
def trained(make_data: MakeData, plugins: Plugins) -> Trained:
    options = TrainOptions(head=HeadChoice(name="linear"), cohort=CohortOptions(panel_genes=20), seeds=1)
    return train([make_data("A", 1), make_data("B", 2)], options, heads=plugins.heads, device=torch.device("cpu"))


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


def table(trained: Trained, section: SectionData) -> pd.DataFrame:
    return predict(trained.ensemble, trained.calibrations, section)


def test_a_spot_without_counts_is_uncertain_where_genes_alone_are_read(trained: Trained, make_data: MakeData) -> None:
    found = table(trained, without_counts(make_data("D", 4, image=False)))
    assert np.flatnonzero(found["gene_coverage"] == 0).tolist() == [SPOT]
    assert set(found["gene_coverage"]) == {0.0, 1.0}
    assert np.flatnonzero(found["label"] == "uncertain").tolist() == [SPOT]


def test_a_spot_without_counts_is_called_where_its_image_is_read(trained: Trained, make_data: MakeData) -> None:
    found = table(trained, without_counts(make_data("D", 4)))
    assert found["gene_coverage"].iloc[SPOT] == 0
    assert (found["label"] != "uncertain").all()


def test_a_spot_with_neither_counts_nor_image_is_uncertain(trained: Trained, make_data: MakeData) -> None:
    found = table(trained, off_the_image(without_counts(make_data("D", 4))))
    assert np.flatnonzero(found["label"] == "uncertain").tolist() == [SPOT]
