from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.forward import run_encoder, tiles_of
from spacrd_core.errors import EncoderError
from spacrd_core.slide.patches import Windows

TILES = torch.full((4, 3, 8, 8), 100, dtype=torch.uint8)


class Given:
    """An encoder that gives what it was told to give."""

    Options = ComponentOptions
    recipe = Recipe(input_px=8, um_per_px=1.0, dim=2, precision="bf16")

    def __init__(self, gives: Tensor | Exception) -> None:
        self.gives = gives

    def to(self, device: torch.device) -> Given:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        assert not torch.is_autocast_enabled("cpu"), "a CPU computes in float32"
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


def test_embeddings_come_off_the_device_in_float32() -> None:
    given = torch.arange(8).reshape(4, 2).half()
    embeddings = run_encoder(Given(given), "given", TILES, at_once=4)
    assert embeddings.dtype == torch.float32
    assert torch.equal(embeddings, given.float())


@pytest.mark.parametrize("shape", [(4, 3), (3, 2), (5, 2), (4, 2, 1)], ids=str)
def test_an_encoder_that_breaks_its_recipe_is_named_with_both_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(EncoderError, match=r"'given' gave numbers of shape .*, its recipe says \(4, 2\)") as caught:
        run_encoder(Given(torch.zeros(shape)), "given", TILES, at_once=4)
    assert caught.value.hint == "spacrd plugins check given"


@pytest.mark.parametrize("odd", [float("nan"), float("inf")], ids=str)
def test_numbers_that_are_not_finite_are_refused(odd: float) -> None:
    with pytest.raises(EncoderError, match="'given' gave numbers that are not finite in precision bf16"):
        run_encoder(Given(torch.full((4, 2), odd)), "given", TILES, at_once=4)


def test_too_many_patches_for_the_memory_are_an_error_with_a_batch_size_to_try() -> None:
    with pytest.raises(EncoderError, match="4 patches at once do not fit the memory of cpu") as caught:
        run_encoder(Given(torch.OutOfMemoryError("CUDA out of memory")), "given", TILES, at_once=4)
    assert caught.value.hint == "--batch-size 2"


def test_tiles_have_the_size_and_shape_an_encoder_wants() -> None:
    pixels = np.full((3, 21, 21, 3), (10, 20, 30), dtype=np.uint8)
    windows = Windows(np.arange(3), pixels, np.full((3, 2), 2.5))
    tiles = tiles_of(windows, side=16.0, input_px=8, device=torch.device("cpu"))
    assert (tiles.shape, tiles.dtype) == ((3, 3, 8, 8), torch.uint8)
    assert tiles[0, :, 4, 4].tolist() == [10, 20, 30]


def test_every_pass_has_the_same_number_of_tiles() -> None:
    seen: list[int] = []

    class Counting(Given):
        def embed(self, tiles: Tensor) -> Tensor:
            seen.append(len(tiles))
            return tiles[:, :2, 0, 0].float()

    tiles = torch.arange(7 * 3, dtype=torch.uint8).reshape(7, 3, 1, 1).expand(-1, -1, 8, 8)
    embeddings = run_encoder(Counting(torch.empty(0)), "counting", tiles, at_once=3)
    assert seen == [3, 3, 3]
    assert torch.equal(embeddings, tiles[:, :2, 0, 0].float())
