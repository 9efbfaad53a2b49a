"""What the heads share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from spacrd_core.cohort.batch import Dims
from spacrd_core.errors import ConfigError, DetectorError
from spacrd_fusion._base import labelled_mean, measured, modalities

if TYPE_CHECKING:
    from conftest import MakeBatch


def test_a_head_has_the_modalities_it_has_width_for() -> None:
    assert modalities(Dims(genes=5, image=0)) == {"genes": 5}
    assert list(modalities(Dims(genes=5, image=4))) == ["genes", "image"]
    with pytest.raises(ConfigError, match="given neither"):
        modalities(Dims(genes=0, image=0))


def test_spots_without_any_modality_the_head_reads_are_refused(make_batch: MakeBatch) -> None:
    batch = make_batch(image=4)
    assert list(measured(batch, Dims(genes=5, image=4))) == ["image"]
    with pytest.raises(DetectorError, match="the head reads genes, the spots have none of it"):
        measured(batch, Dims(genes=5, image=0))


def test_unlabelled_spots_take_no_part_in_a_mean_and_weights_are_honoured(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=4)
    weights = torch.where(batch.labels == 1, 1.5, torch.where(batch.labels == 0, 0.5, 0.0))
    values = torch.where(batch.labels == 1, 2.0, torch.where(batch.labels == 0, 4.0, torch.nan))
    assert labelled_mean(values, replace(batch, weights=weights)).item() == pytest.approx((1.5 * 2 + 0.5 * 4) / 2)


def test_a_mean_over_no_labelled_spot_is_zero(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=4)
    blind = replace(batch, labels=torch.full_like(batch.labels, -1), weights=torch.zeros_like(batch.weights))
    assert labelled_mean(torch.ones(len(batch.labels)), blind).item() == 0.0
