"""Principal components stored as tensors."""

import numpy as np
import torch
from fusion.conftest import training_spots
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spacrd_fusion.components import ModalityComponents, PrincipalComponents


def spots(count: int, width: int, strong: int) -> torch.Tensor:
    """Features of which a few directions vary much more than the rest."""
    generator = torch.Generator().manual_seed(0)
    programmes = 3 * torch.randn(count, strong, generator=generator) @ torch.randn(strong, width, generator=generator)
    return programmes + torch.randn(count, width, generator=generator) + 5


def scored(components: PrincipalComponents, features: torch.Tensor) -> torch.Tensor:
    scores: torch.Tensor = components(features @ components.axes)
    return scores


def test_they_equal_a_scaled_pca() -> None:
    features = spots(80, 12, strong=4)
    components = PrincipalComponents(12, components=3)
    components.fit(training_spots(features))
    expected = make_pipeline(PCA(3, random_state=0), StandardScaler()).fit_transform(features.double().numpy())
    # PCA divides the variance by n - 1, the scaler by n.
    assert np.allclose(scored(components, features).numpy() * np.sqrt(80 / 79), expected, atol=1e-4)


def test_components_weaker_than_the_average_feature_are_left_at_zero() -> None:
    features = spots(200, 12, strong=4)
    components = PrincipalComponents(12, components=10)
    components.fit(training_spots(features))
    assert scored(components, features).std(dim=0).round(decimals=3).tolist() == [1.0] * 4 + [0.0] * 6


def test_there_are_no_more_components_than_features_or_spots() -> None:
    few_features = PrincipalComponents(2, components=30)
    assert few_features.width == 2
    few_spots = PrincipalComponents(40, components=30)
    few_spots.fit(training_spots(spots(6, 40, strong=5)))
    assert scored(few_spots, spots(6, 40, strong=5)).isfinite().all()


def test_a_single_feature_is_kept_and_a_constant_one_becomes_0() -> None:
    single = PrincipalComponents(1, components=5)
    values = torch.randn(31, 1, generator=torch.Generator().manual_seed(0))
    single.fit(training_spots(values))
    assert torch.allclose(scored(single, values).std(), torch.ones(()))
    single.fit(training_spots(torch.zeros(31, 1)))
    assert not scored(single, values).any()


def test_fitting_again_replaces_the_components() -> None:
    features = spots(80, 12, strong=2)
    again, once = PrincipalComponents(12, components=8), PrincipalComponents(12, components=8)
    again.fit(training_spots(spots(50, 12, strong=6)))
    again.fit(training_spots(features))
    once.fit(training_spots(features))
    assert torch.equal(again.axes, once.axes)


def test_each_modality_has_its_own_components() -> None:
    both = ModalityComponents({"genes": 12, "image": 3}, components=5)
    assert both.widths == {"genes": 5, "image": 3}
    both.fit({"genes": training_spots(spots(40, 12, strong=3))})
    features = {"genes": spots(40, 12, strong=3), "image": torch.ones(40, 3)}
    scores = both({name: features[name] @ matrix for name, matrix in both.matrices.items()})
    assert scores["genes"].any()
    assert not scores["image"].any()
