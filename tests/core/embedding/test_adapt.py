"""An adaptive encoder sees a sample of a section first: the same one in every process that embeds a part of it."""

from __future__ import annotations

from typing import Self

import numpy as np
import pytest
import torch
from core.embedding.conftest import NewStore
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.adapt import SAMPLE_TILES, adapt_to_section
from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.executors.processes import Processes
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.slide.pyramid import Level, Pyramid

CPU = torch.device("cpu")
NORMALISED = {"normalised": True}


class Plain:
    """The mean colour of a tile."""

    Options = ComponentOptions
    recipe = Recipe(input_px=8, um_per_px=1.0, dim=3)

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def to(self, device: torch.device) -> Self:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        return tiles.float().mean(dim=(2, 3))


class Adaptive(Plain):
    """The same, adaptive; it keeps the samples it has seen."""

    def adapt(self, tiles: Tensor) -> Adaptive:
        self.seen.append(tiles)
        return Adaptive()


def plan(spots: int) -> PatchPlan:
    numbers = np.random.default_rng(0)
    image = numbers.integers(0, 256, (3, 200, 200), dtype=np.uint8)
    return PatchPlan.from_centres(
        Pyramid((Level(image, 1.0),)), numbers.uniform(10, 190, (spots, 2)), patch_um=8, patch_px=8
    )


def test_an_encoder_that_is_not_adaptive_is_used_as_it_is() -> None:
    plain = Plain()
    assert adapt_to_section(plain, plan(9), CPU) is plain


def test_an_adaptive_encoder_sees_a_sample_and_what_it_returns_is_used() -> None:
    encoder = Adaptive()
    assert adapt_to_section(encoder, plan(1000), CPU) is not encoder
    assert encoder.seen[0].shape == (SAMPLE_TILES, 3, 8, 8)
    assert encoder.seen[0].dtype == torch.uint8


def test_of_a_small_section_all_tiles_are_the_sample() -> None:
    encoder = Adaptive()
    adapt_to_section(encoder, plan(9), CPU)
    assert len(encoder.seen[0]) == 9


def test_the_sample_is_the_same_every_time() -> None:
    encoder = Adaptive()
    for reader_threads in (1, 2):
        adapt_to_section(encoder, plan(1000), CPU, reader_threads=reader_threads)
    assert torch.equal(*encoder.seen)


@pytest.mark.slow
def test_every_shard_and_every_process_adapts_alike(new_store: NewStore) -> None:
    here, there = new_store(), new_store()
    embed(here, "stain", options=NORMALISED, settings=Settings(device="cpu"))
    embed(there, "stain", options=NORMALISED, settings=Settings(device="cpu"), executor=Processes(2))
    for section in here.entries:
        assert np.array_equal(
            here.embedding(section, encoder="stain").values, there.embedding(section, encoder="stain").values
        )
