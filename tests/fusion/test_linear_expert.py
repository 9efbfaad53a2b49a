"""The linear expert: a logit along the difference of class means."""

import pytest
import torch
from fusion.conftest import training_spots as as_training_spots

from spacrd_core.cohort.weights import balanced_weights
from spacrd_fusion.linear_expert import LinearExpert

TrainingSpots = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def spot_weights(patients: list[str], labels: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(balanced_weights(patients, labels.numpy())).float()


@pytest.fixture
def training_spots() -> TrainingSpots:
    """Eighty noisy spots of two patients; the first two of five features are high in cancer."""
    labels = torch.arange(80) % 2
    features = torch.randn(80, 5, generator=torch.Generator().manual_seed(0))
    features[:, :2] += 3.0 * labels[:, None]
    return features, labels, spot_weights(["A"] * 20 + ["B"] * 60, labels)


def fitted(training_spots: TrainingSpots) -> LinearExpert:
    expert = LinearExpert(training_spots[0].shape[1])
    expert.fit(as_training_spots(*training_spots))
    return expert


def test_its_direction_is_the_mean_over_patients_of_the_differences_of_their_class_means() -> None:
    a_normal, a_cancer = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 1.0], [5.0, -1.0], [4.0, 0.0]])
    b_normal, b_cancer = torch.tensor([[1.0, 1.0], [1.0, 3.0]]), torch.tensor([[1.0, 5.0]])
    labels = torch.tensor([0, 1, 1, 1, 0, 0, 1])
    expert = LinearExpert(2)
    expert.fit(
        as_training_spots(
            torch.cat([a_normal, a_cancer, b_normal, b_cancer]), labels, spot_weights(["A"] * 4 + ["B"] * 3, labels)
        )
    )
    expected = torch.tensor([2.0, 1.5])  # A differs by (4, 0), B by (0, 3)
    assert torch.allclose(expert.direction / expert.direction.norm(), expected / expected.norm(), atol=1e-5)
    assert torch.nn.functional.cosine_similarity(expert.direction, expected, dim=0) > 0


def test_it_returns_0_until_fitted(training_spots: TrainingSpots) -> None:
    expert = LinearExpert(5)
    assert not expert(training_spots[0]).any()
    assert not list(expert.parameters()), "it has no parameters for the optimiser"


@pytest.mark.parametrize("label", [0, 1])
def test_spots_of_one_class_do_not_change_it(training_spots: TrainingSpots, label: int) -> None:
    features, labels, weights = training_spots
    expert = fitted(training_spots)
    before = expert(features)
    expert.fit(as_training_spots(10 * features, torch.full_like(labels, label), weights))
    assert torch.equal(expert(features), before)


def test_it_stays_unfitted_without_spots() -> None:
    expert = LinearExpert(5)
    expert.fit(as_training_spots(torch.zeros(0, 5), torch.zeros(0, dtype=torch.long), torch.zeros(0)))
    assert not expert.direction.any()


def test_its_logit_separates_cancer_from_normal_in_unseen_spots(training_spots: TrainingSpots) -> None:
    unseen = torch.randn(100, 5, generator=torch.Generator().manual_seed(1))
    unseen[:50, :2] += 3.0
    called = fitted(training_spots)(unseen) > 0
    assert called[:50].float().mean() > 0.9
    assert called[50:].float().mean() < 0.1


def test_its_logit_is_0_halfway_between_the_classes() -> None:
    features = torch.tensor([[-3.0], [-1.0], [1.0], [3.0]])
    expert = fitted((5.0 + features, torch.tensor([0, 1, 0, 1]), torch.ones(4)))
    assert expert(torch.tensor([[5.0]])).item() == pytest.approx(0, abs=1e-3)
    assert expert(torch.tensor([[6.0]])).item() > 0.1


def test_its_logit_is_0_halfway_also_with_unequal_numbers_of_spots() -> None:
    features = torch.tensor([-3.0, 1.0] * 6 + [-1.0, 3.0])[:, None]
    labels = torch.tensor([0] * 12 + [1] * 2)
    expert = fitted((features, labels, spot_weights(["A"] * 14, labels)))
    assert expert(torch.zeros(1, 1)).item() == pytest.approx(0, abs=1e-3)


def test_classes_that_do_not_overlap_give_a_finite_logit_without_a_warning() -> None:
    features = torch.tensor([[-100.0], [-99.0], [99.0], [100.0]])
    expert = fitted((features, torch.tensor([0, 0, 1, 1]), torch.ones(4)))
    assert expert(features).isfinite().all()
    assert (expert(features) > 0).tolist() == [False, False, True, True]


def test_classes_that_do_not_differ_give_0() -> None:
    expert = fitted((torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), torch.ones(4)))
    assert expert(torch.randn(6, 3)) == pytest.approx(torch.zeros(6), abs=1e-6)


def test_the_unit_of_the_features_does_not_change_its_logit(training_spots: TrainingSpots) -> None:
    features, labels, weights = training_spots
    small = fitted((1e-3 * features, labels, weights))
    assert torch.allclose(small(1e-3 * features), fitted(training_spots)(features), atol=1e-3)


def test_its_state_loads_into_a_new_one(training_spots: TrainingSpots) -> None:
    expert, other = fitted(training_spots), LinearExpert(5)
    other.load_state_dict(expert.state_dict(), strict=True)
    assert torch.equal(other(training_spots[0]), expert(training_spots[0]))
    assert expert(training_spots[0]).any()
