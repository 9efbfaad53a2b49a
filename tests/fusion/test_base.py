"""Functions that the heads share."""

from dataclasses import replace

import pytest
import torch
from fusion.conftest import MakeBatch

from spacrd_core.cohort.batch import Dims
from spacrd_core.errors import ConfigError, DetectorError
from spacrd_fusion._base import available_features, labelled_mean, modality_widths, neighbourhood_counts


def test_a_head_has_the_modalities_whose_width_is_not_0() -> None:
    assert modality_widths(Dims(genes=5, image=0)) == {"genes": 5}
    assert list(modality_widths(Dims(genes=5, image=4))) == ["genes", "image"]
    with pytest.raises(ConfigError, match="both widths are 0"):
        modality_widths(Dims(genes=0, image=0))


def test_spots_without_any_modality_of_the_head_are_refused(make_batch: MakeBatch) -> None:
    batch = make_batch(image=4)
    assert list(available_features(batch, Dims(genes=5, image=4))) == ["image"]
    with pytest.raises(DetectorError, match="no such features"):
        available_features(batch, Dims(genes=5, image=0))


def test_a_spot_counts_once_for_each_neighbourhood_that_it_is_in(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=4, centres=[0, 1, 55])
    counts = neighbourhood_counts(batch, spots=100)
    members = [row[present].tolist() for row, present in zip(batch.neighbours, batch.present, strict=True)]
    assert counts.tolist() == [sum(row.count(spot) for row in members) for spot in range(100)]
    assert counts[[0, 1, 2, 55]].tolist() == [2, 2, 1, 1]


def test_a_mean_is_weighted_and_leaves_out_unlabelled_spots(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=4)
    weights = torch.where(batch.labels == 1, 1.5, torch.where(batch.labels == 0, 0.5, 0.0))
    values = torch.where(batch.labels == 1, 2.0, torch.where(batch.labels == 0, 4.0, torch.nan))
    assert labelled_mean(values, replace(batch, weights=weights)).item() == pytest.approx((1.5 * 2 + 0.5 * 4) / 2)


def test_a_mean_over_no_labelled_spot_is_zero(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=4)
    unlabelled = replace(batch, labels=torch.full_like(batch.labels, -1), weights=torch.zeros_like(batch.weights))
    assert labelled_mean(torch.ones(len(batch.labels)), unlabelled).item() == 0.0
