"""A training's random numbers come from its seed, and leave those of the program alone."""

import torch

from spacrd_core.model.random_stream import RandomStream

CPU = torch.device("cpu")


def seeded(seed: int) -> list[float]:
    return torch.rand(4, generator=torch.Generator().manual_seed(seed)).tolist()


def test_it_gives_the_numbers_of_its_seed() -> None:
    with RandomStream(3, CPU):
        assert torch.rand(4).tolist() == seeded(3)


def test_it_goes_on_where_it_was_left() -> None:
    stream, numbers = RandomStream(3, CPU), []
    for _ in range(2):
        with stream:
            numbers += torch.rand(2).tolist()
        torch.rand(5)
    assert numbers == seeded(3)


def test_the_numbers_outside_go_on_as_if_nothing_was() -> None:
    with RandomStream(7, CPU):
        first = torch.rand(2).tolist()
        with RandomStream(3, CPU):
            torch.rand(9)
        assert first + torch.rand(2).tolist() == seeded(7)
