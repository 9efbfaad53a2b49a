"""Contrastive alignment."""

import math

import pytest
import torch

from spacrd_fusion.alignment import SpotEncoder, info_nce


def test_info_nce_equals_a_calculation_by_hand() -> None:
    first = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    second = torch.tensor([[5.0, 0.0], [1.0, 1.0]])
    # Cosines of each first code with both second codes: 1 and r for spot 0, 0 and r for spot 1.
    r = 1 / math.sqrt(2)
    rows = -math.log(math.exp(2) / (math.exp(2) + math.exp(2 * r))) - math.log(math.exp(2 * r) / (1 + math.exp(2 * r)))
    columns = -math.log(math.exp(2) / (math.exp(2) + 1)) - math.log(0.5)
    assert info_nce(first, second, temperature=0.5, alpha=1.0).item() == pytest.approx(rows / 2, rel=1e-5)
    assert info_nce(first, second, temperature=0.5, alpha=0.0).item() == pytest.approx(columns / 2, rel=1e-5)
    mixed = 0.3 * rows / 2 + 0.7 * columns / 2
    assert info_nce(first, second, temperature=0.5, alpha=0.3).item() == pytest.approx(mixed, rel=1e-5)


def test_info_nce_depends_on_directions_only_and_is_smallest_for_codes_that_agree() -> None:
    codes = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    loss = info_nce(codes, codes, temperature=0.07, alpha=0.5)
    assert torch.allclose(info_nce(3 * codes, 0.2 * codes, temperature=0.07, alpha=0.5), loss)
    assert loss < info_nce(codes, codes.roll(1, 0), temperature=0.07, alpha=0.5)


def test_an_encoder_has_the_hidden_layers_of_its_options() -> None:
    encoder = SpotEncoder(7, hidden=(6, 5), width=3, dropout=0.2)
    linear = [(layer.in_features, layer.out_features) for layer in encoder if isinstance(layer, torch.nn.Linear)]
    assert linear == [(7, 6), (6, 5), (5, 3)]
    assert [type(layer).__name__ for layer in encoder][:4] == ["Linear", "SpotNorm", "ReLU", "Dropout"]


def test_a_batch_of_one_spot_can_be_trained_on() -> None:
    encoder = SpotEncoder(4, hidden=(3,), width=2, dropout=0.0)
    many = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    encoder(many)
    alone = encoder(many[:1])
    assert torch.allclose(alone, encoder.eval()(many[:1]))


def test_a_spot_that_counts_twice_is_in_the_batch_statistics_twice() -> None:
    spots = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    counts = torch.tensor([3, 1, 0, 2, 1, 5])
    torch.manual_seed(0)
    once, copied = (SpotEncoder(4, hidden=(5, 3), width=2, dropout=0.0).double() for _ in range(2))
    copied.load_state_dict(once.state_dict())
    codes = copied(spots.repeat_interleave(counts, dim=0))
    assert torch.allclose(once(spots, counts)[counts > 0], codes[counts.cumsum(0)[counts > 0] - 1])
    state = once.state_dict()
    for name, value in copied.state_dict().items():
        assert torch.allclose(state[name], value), name


def test_counts_change_nothing_in_evaluation_and_in_a_batch_of_one_spot() -> None:
    encoder = SpotEncoder(4, hidden=(3,), width=2, dropout=0.0)
    many = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(encoder(many[:1], torch.tensor([7])), encoder(many[:1]))
    encoder.eval()
    assert torch.equal(encoder(many, torch.arange(16)), encoder(many))


def test_evaluation_does_not_depend_on_the_other_spots() -> None:
    encoder = SpotEncoder(4, hidden=(3,), width=2, dropout=0.5).eval()
    many = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(encoder(many)[:5], encoder(many[:5]))
