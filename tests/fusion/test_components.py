"""Principal components stored as tensors."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spacrd_fusion.components import ModalityComponents, PrincipalComponents


def spots(count: int, width: int, strong: int) -> torch.Tensor:
    """Features of which a few directions vary much more than the rest."""
    generator = torch.Generator().manual_seed(0)
    programmes = 3 * torch.randn(count, strong, generator=generator) @ torch.randn(strong, width, generator=generator)
    return programmes + torch.randn(count, width, generator=generator) + 5


def test_they_equal_a_scaled_pca() -> None:
    features = spots(80, 12, strong=4)
    components = PrincipalComponents(12, components=3)
    components.fit(features)
    expected = make_pipeline(PCA(3, random_state=0), StandardScaler()).fit_transform(features.double().numpy())
    # PCA divides the variance by n - 1, the scaler by n.
    assert np.allclose(components(features).numpy() * np.sqrt(80 / 79), expected, atol=1e-4)


def test_components_weaker_than_the_average_feature_are_left_at_zero() -> None:
    features = spots(200, 12, strong=4)
    components = PrincipalComponents(12, components=10)
    components.fit(features)
    assert components(features).std(dim=0).round(decimals=3).tolist() == [1.0] * 4 + [0.0] * 6


def test_there_are_no_more_components_than_features_or_spots() -> None:
    few_features = PrincipalComponents(2, components=30)
    assert few_features.width == 2
    few_spots = PrincipalComponents(40, components=30)
    few_spots.fit(spots(6, 40, strong=5))
    assert few_spots(spots(6, 40, strong=5)).isfinite().all()


def test_a_single_feature_is_kept_and_a_constant_one_becomes_0() -> None:
    single = PrincipalComponents(1, components=5)
    values = torch.randn(31, 1, generator=torch.Generator().manual_seed(0))
    single.fit(values)
    assert torch.allclose(single(values).std(), torch.ones(()))
    single.fit(torch.zeros(31, 1))
    assert not single(values).any()


def test_fitting_again_replaces_the_components() -> None:
    features = spots(80, 12, strong=2)
    again, once = PrincipalComponents(12, components=8), PrincipalComponents(12, components=8)
    again.fit(spots(50, 12, strong=6))
    again.fit(features)
    once.fit(features)
    assert torch.equal(again.axes, once.axes)


def test_each_modality_has_its_own_components() -> None:
    both = ModalityComponents({"genes": 12, "image": 3}, components=5)
    assert both.widths == {"genes": 5, "image": 3}
    both.fit({"genes": spots(40, 12, strong=3)})
    scores = both({"genes": spots(40, 12, strong=3), "image": torch.ones(40, 3)})
    assert scores["genes"].any()
    assert not scores["image"].any()
