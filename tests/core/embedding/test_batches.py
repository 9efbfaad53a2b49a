from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.batches import BatchRunner
from spacrd_core.embedding.timing import Clock
from spacrd_core.errors import EncoderError
from spacrd_core.slide.patches import Windows

CPU = torch.device("cpu")


def run_out_of_memory(kind: str) -> None:
    if kind == "cuda":
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    torch.empty(2**55, dtype=torch.uint8)  # torch's own error


class Colours:
    """Mean colours; it runs out of memory for more tiles than ``max_tiles``."""

    Options = ComponentOptions
    recipe = Recipe(input_px=8, um_per_px=1.0, dim=3)

    def __init__(self, max_tiles: int = 1000, kind: str = "cuda") -> None:
        self.max_tiles = max_tiles
        self.kind = kind
        self.seen: list[int] = []

    def to(self, device: torch.device) -> Colours:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        self.seen.append(len(tiles))
        if len(tiles) > self.max_tiles:
            run_out_of_memory(self.kind)
        return tiles.float().mean(dim=(2, 3))


def runner(encoder: Any, batch_size: int, precision: str = "fp32") -> BatchRunner:
    return BatchRunner(encoder, "colours", 8.0, CPU, precision, batch_size, Clock(CPU))


def windows(count: int) -> Windows:
    """Window number n has the colour (n, n + 1, n + 2)."""
    colours = np.arange(count)[:, None] + np.arange(3)
    pixels = np.broadcast_to(colours[:, None, None], (count, 13, 13, 3)).astype(np.uint8)
    return Windows(np.arange(count), pixels, np.full((count, 2), 2.5))


EXPECTED = np.arange(7)[:, None] + np.arange(3)


def test_every_pass_has_the_same_number_of_tiles_and_only_real_ones_come_back() -> None:
    encoder = Colours()
    assert np.array_equal(runner(encoder, 3).start(windows(7))(), EXPECTED)
    assert encoder.seen == [3, 3, 3]


def test_a_single_patch_is_a_pass_of_the_same_size() -> None:
    encoder = Colours()
    runner(encoder, 5).start(windows(1))()
    assert encoder.seen == [5]


@pytest.mark.parametrize("kind", ["cuda", "cpu"])
def test_passes_that_do_not_fit_the_memory_are_halved_for_good_and_nothing_is_lost(kind: str) -> None:
    encoder = Colours(max_tiles=2, kind=kind)
    colours = runner(encoder, 8)
    assert np.array_equal(colours.start(windows(7))(), EXPECTED)
    assert encoder.seen == [8, 4, 2, 2, 2, 2]
    colours.start(windows(2))()
    assert (colours.batch_size, encoder.seen[-1]) == (2, 2)


def test_memory_that_runs_short_later_loses_nothing_that_is_done() -> None:
    encoder = Colours(max_tiles=4)
    colours = runner(encoder, 4)
    embed_colours = encoder.embed

    def embed(tiles: Tensor) -> Tensor:
        encoder.max_tiles = 4 if not encoder.seen else 3
        return embed_colours(tiles)

    encoder.embed = embed  # type: ignore[method-assign]
    assert np.array_equal(colours.start(windows(7))(), EXPECTED)
    assert encoder.seen == [4, 4, 2, 2]


def test_one_patch_that_does_not_fit_is_an_error_with_a_remedy() -> None:
    with pytest.raises(EncoderError, match="does not fit the memory") as caught:
        runner(Colours(max_tiles=0), 4).start(windows(3))
    assert caught.value.hint
    assert "--device cpu" in caught.value.hint
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)


def test_another_error_of_an_encoder_is_left_as_it_is() -> None:
    class Broken(Colours):
        def embed(self, tiles: Tensor) -> Tensor:
            return tiles.float() @ torch.zeros(3, 3)

    with pytest.raises(RuntimeError, match="Expected size"):
        runner(Broken(), 4).start(windows(3))


@pytest.mark.parametrize("odd", [float("nan"), float("inf")], ids=str)
@pytest.mark.parametrize(
    ("precision", "hint"),
    [("bf16", "check its weights, or use a wider precision (--precision fp32)"), ("fp32", "check its weights")],
)
def test_numbers_that_are_not_finite_are_refused(odd: float, precision: str, hint: str) -> None:
    class Odd(Colours):
        def embed(self, tiles: Tensor) -> Tensor:
            return torch.full((len(tiles), 3), odd)

    with pytest.raises(EncoderError, match=f"not finite in precision {precision}") as caught:
        runner(Odd(), 4, precision).start(windows(3))()
    assert caught.value.hint == hint


def test_numbers_that_are_not_finite_in_the_filling_of_a_pass_do_not_matter() -> None:
    class OddOnBackground(Colours):
        def embed(self, tiles: Tensor) -> Tensor:
            return 1 / (255 - tiles.float().mean(dim=(2, 3)))

    assert runner(OddOnBackground(), 4).start(windows(3))().shape == (3, 3)
