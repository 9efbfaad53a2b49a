"""All training spots as operators have the numbers of the dense cohorts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from core.conftest import MakeData

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import neighbourhood_mean
from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.training_spots import TrainingSpots

CPU = torch.device("cpu")
CENTRED = {"gene_centring": True, "gene_factors": 5}


@pytest.fixture(params=[{}, CENTRED, {"gene_scale": "range"}], ids=["plain", "factors", "range"])
def sections(request: pytest.FixtureRequest, make_data: MakeData) -> list[PreparedSection]:
    """The second section has no image, the third no genes."""
    data = [make_data(patient, number) for number, patient in enumerate("ABCD", start=1)]
    data[1] = replace(data[1], image=None, image_coverage=None, recipe=None)
    data[2] = replace(data[2], expression=None)
    return Preprocessor.fit_transform(data, CohortOptions(panel_genes=20, **request.param))[1]


def dense(sections: list[PreparedSection], name: str) -> tuple[Array, Array, Array]:
    """Neighbourhood means, labels and weights of the spots that have a modality, from dense cohorts."""
    batches = [cohort.everything() for cohort in Cohort.by_modalities(sections, CPU)]
    members = [batch for batch in batches if getattr(batch, name) is not None]
    means = [neighbourhood_mean(getattr(batch, name), batch) for batch in members]
    parts = (means, [batch.labels for batch in members], [batch.weights for batch in members])
    features, labels, weights = (torch.cat(part).numpy() for part in parts)
    return features, labels, weights


@pytest.mark.parametrize("name", ["genes", "image"])
def test_they_are_the_neighbourhood_means_of_the_cohorts(sections: list[PreparedSection], name: str) -> None:
    training = TrainingSpots.by_modality(sections)[name]
    means, labels, weights = dense(sections, name)
    assert training.means @ np.eye(means.shape[1], dtype=np.float32) == pytest.approx(means, abs=1e-4)
    assert np.concatenate([*training.blocks()]) == pytest.approx(means, abs=1e-4)
    assert np.array_equal(training.labels, labels)
    assert np.array_equal(training.weights, weights)


@pytest.mark.parametrize("name", ["genes", "image"])
def test_the_average_of_some_spots_reads_only_them_and_their_neighbours(
    sections: list[PreparedSection], name: str
) -> None:
    means, spots = sections[0].means[name], np.array([3, 40, 41])
    dense = np.concatenate([*means.blocks()])
    assert means.average(spots) == pytest.approx(dense[spots].mean(axis=0), abs=1e-4)


@pytest.mark.parametrize("name", ["genes", "image"])
def test_dense_means_of_few_spots_are_the_same(sections: list[PreparedSection], name: str) -> None:
    means = sections[0].means[name]
    right = np.eye(means.operator().shape[1], dtype=np.float32)
    dense = means.faster(len(means))
    assert isinstance(dense.features, np.ndarray)
    assert dense.operator() @ right == pytest.approx(means.operator() @ right, abs=1e-4)
    assert means.faster(len(means) - 1) is means


@pytest.mark.parametrize("few", [0, 10_000], ids=["many spots", "few spots"])
@pytest.mark.parametrize("name", ["genes", "image"])
def test_average_and_variance_are_those_of_the_dense_means(
    sections: list[PreparedSection], name: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacrd_core.cohort.training_spots.FEW_SPOTS", few)
    training = TrainingSpots.by_modality(sections)[name]
    means = dense(sections, name)[0]
    assert training.means @ np.eye(means.shape[1], dtype=np.float32) == pytest.approx(means, abs=1e-4)
    assert np.concatenate([*training.blocks()]) == pytest.approx(means, abs=1e-4)
    assert training.average[:, 0] == pytest.approx(means.mean(axis=0), abs=1e-5)
    assert training.variance == pytest.approx(means.var(axis=0, ddof=1).mean(), rel=1e-4)


def test_a_cohort_of_products_is_the_product_of_the_dense_cohort(sections: list[PreparedSection]) -> None:
    whole = Cohort.by_modalities(sections, CPU)
    generator = torch.Generator().manual_seed(0)
    width = {"genes": 20, "image": whole[0].image.shape[1]}  # type: ignore[union-attr]
    matrices = {name: torch.randn(size, 3, generator=generator) for name, size in width.items()}
    for cohort, products in zip(whole, Cohort.by_modalities(sections, CPU, matrices), strict=True):
        assert products.projected
        assert products.batch(torch.tensor([0, 1])).projected
        for name in ("genes", "image"):
            features, multiplied = getattr(cohort, name), getattr(products, name)
            assert (features is None) == (multiplied is None)
            assert features is None or torch.allclose(features @ matrices[name], multiplied, atol=1e-3)


def test_training_sections_are_read_where_they_lie(make_data: MakeData) -> None:
    section = make_data("A", 1)
    preprocessor, prepared = Preprocessor.fit_transform([section], CohortOptions(panel_genes=20))
    genes, copied = prepared[0].genes, preprocessor.transform(section).genes
    assert genes is not None
    assert copied is not None
    assert section.expression is not None
    assert genes.values is section.expression.values
    assert torch.equal(genes[:], copied[:])


def test_a_batch_is_multiplied_once(sections: list[PreparedSection]) -> None:
    batch = Cohort.by_modalities(sections, CPU)[0].everything()
    matrices = {"genes": torch.ones(20, 2)}
    once = batch.project(matrices)
    assert once.project(matrices) is once
    assert torch.equal(once.image, batch.image)  # type: ignore[arg-type]
    assert batch.project({}).genes is batch.genes
