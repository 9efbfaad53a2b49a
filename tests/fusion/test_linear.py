"""The baseline head."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fusion.conftest import MakeBatch, warm_start
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.contracts.head import Build
from spacrd_core.errors import ConfigError, TrainingError
from spacrd_core.testing import HeadContract
from spacrd_fusion.linear import LinearHead


class TestContract(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: LinearHead(LinearHead.Options(), dims=dims)


def fitted(batch: Batch, dims: Dims, **options: float) -> LinearHead:
    head = LinearHead(LinearHead.Options.model_validate(options), dims=dims)
    warm_start(head, batch)
    return head.eval()


def means(features: torch.Tensor, batch: Batch) -> np.ndarray:
    rows = zip(batch.neighbours.tolist(), batch.present.tolist(), strict=True)
    neighbourhoods = [[index for index, present in zip(*row, strict=True) if present] for row in rows]
    return np.stack([features.double().numpy()[indices].mean(axis=0) for indices in neighbourhoods])


def test_it_equals_a_plain_scikit_learn_pipeline(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=12, image=6, signal=0.5)
    batch = replace(batch, weights=torch.where(batch.labels == 1, 1.7, 0.3) * batch.labelled)
    labelled = batch.labelled.numpy()
    columns = []
    for features in (batch.genes, batch.image):
        assert features is not None
        averaged = means(features, batch)
        pca = PCA(4, random_state=0).fit(averaged)
        kept = pca.explained_variance_ > averaged.var(axis=0, ddof=1).mean()
        columns.append((pca.transform(averaged) / pca.explained_variance_**0.5)[:, kept])
    table = np.hstack(columns)
    expected = LogisticRegression(C=0.1).fit(table[labelled], batch.labels[labelled], batch.weights.numpy()[labelled])
    head = fitted(batch, Dims(12, 6), components=4, inverse_penalty=0.1)
    assert np.allclose(head.score(batch).numpy(), expected.decision_function(table), atol=1e-3)


@pytest.mark.parametrize("dims", [Dims(12, 6), Dims(12, 0), Dims(0, 6)], ids=["both", "genes", "image"])
def test_it_recovers_a_planted_signal_in_unseen_tissue(make_batch: MakeBatch, dims: Dims) -> None:
    head = fitted(make_batch(genes=dims.genes, image=dims.image, signal=0.8), dims)
    unseen = make_batch(genes=dims.genes, image=dims.image, signal=0.8, seed=1, unlabelled=False)
    assert roc_auc_score(unseen.labels, head.score(unseen)) > 0.95


def test_without_signal_it_finds_nothing_in_unseen_tissue(make_batch: MakeBatch) -> None:
    head = fitted(make_batch(genes=12, signal=0.0), Dims(12, 0))
    unseen = make_batch(genes=12, signal=0.0, seed=1, unlabelled=False)
    assert roc_auc_score(unseen.labels, head.score(unseen)) < 0.75


def test_a_missing_modality_counts_as_the_training_mean(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=12, image=6)
    head = fitted(batch, Dims(12, 6))
    assert batch.image is not None
    mean = head.components.for_modality("image").mean.expand_as(batch.image)
    average = replace(batch, image=mean)
    assert torch.allclose(head.score(replace(batch, image=None)), head.score(average), atol=1e-5)


def test_unlabelled_spots_affect_the_components_but_not_the_regression(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=12)
    weighted = replace(batch, weights=torch.where(batch.labelled, 1.0, 99.0))
    assert torch.equal(fitted(weighted, Dims(12, 0)).coefficients, fitted(batch, Dims(12, 0)).coefficients)


def test_it_has_no_phases(make_batch: MakeBatch) -> None:
    head = LinearHead(LinearHead.Options(), dims=Dims(12, 0))
    assert head.curriculum() == ()
    with pytest.raises(ConfigError, match="has no phase"):
        head.losses(make_batch(genes=12), "detect")


def test_labels_of_one_class_are_refused(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=12)
    with pytest.raises(TrainingError, match="both classes"):
        fitted(replace(batch, labels=batch.labels.clamp(max=0)), Dims(12, 0))
