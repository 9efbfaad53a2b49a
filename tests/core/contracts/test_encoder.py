"""The contract of encoders detects every violation, and reports shapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from pydantic import Field
from torch import Tensor

from spacrd_core.cards import ComponentOptions, EncoderCard, Recipe
from spacrd_core.contracts.encoder import check_encoder, example_tiles, matches_its_card
from spacrd_core.errors import ContractError

RECIPE = Recipe(input_px=8, um_per_px=2.0, dim=6)


class Good:
    Options: type[ComponentOptions] = ComponentOptions
    recipe: Recipe = RECIPE

    def to(self, device: torch.device) -> Good:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        colours = tiles.flatten(2).float() / 255
        return torch.cat([colours.mean(dim=2), colours.std(dim=2)], dim=1)


class Lax(ComponentOptions, extra="allow"):
    pass


class NoOptions(Good):
    Options = None  # type: ignore[assignment]


class LaxOptions(Good):
    Options = Lax


class NoRecipe(Good):
    recipe = None  # type: ignore[assignment]


class FlatRecipe(Good):
    recipe = replace(RECIPE, um_per_px=0.0)


class ReturnsAnother(Good):
    def to(self, device: torch.device) -> Good:
        return Good()


class Narrow(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles)[:, :4]


class Half(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles).half()


class Infinite(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles) / 0


class Differentiable(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles).requires_grad_()


class Blind(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return torch.ones(len(tiles), 6)


class Random(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles) + torch.rand(len(tiles), 6)


class Writes(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        embeddings = super().embed(tiles)
        tiles.zero_()
        return embeddings


class Grows(Good):
    def __init__(self) -> None:
        self.calls = 0

    def embed(self, tiles: Tensor) -> Tensor:
        self.calls += 1
        return super().embed(tiles).repeat(1, 2)[:, : 7 if self.calls > 3 else 6]


class WideAlone(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles).repeat(1, 2)[:, : 7 if len(tiles) == 1 else 6]


class Mixes(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        embeddings = super().embed(tiles)
        return embeddings - embeddings.mean(dim=0)


class Adapts(Good):
    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift

    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles) + self.shift

    def adapt(self, tiles: Tensor) -> Adapts:
        return Adapts(1.0)


class AdaptsItself(Adapts):
    def adapt(self, tiles: Tensor) -> Adapts:
        self.shift = 1.0
        return self


class AdaptsToAnother(Adapts):
    def adapt(self, tiles: Tensor) -> Adapts:
        other = Adapts()
        other.recipe = replace(RECIPE, um_per_px=1.0)
        return other


class Unnoticed(ComponentOptions):
    blur: float = Field(1.0, exclude=True)


class HidesAnOption(Good):
    Options = Unnoticed


class Drifts(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        self.recipe = replace(self.recipe, settings=f'{{"tiles": {len(tiles)}}}')
        return super().embed(tiles)


class Computed(Good):
    @property
    def recipe(self) -> Recipe:  # type: ignore[override]
        return RECIPE


class SomeChoices(ComponentOptions):
    stain: Literal["h", "e"] = "h"
    sizes: tuple[int, ...] = (1, 2)
    table: Path | None = None
    views: int = Field(1, ge=1, le=2)
    weights: dict[str, float] = Field(default_factory=dict)


class ManyOptions(Good):
    Options = SomeChoices


class Lists(Good):
    def embed(self, tiles: Tensor) -> Tensor:
        return super().embed(tiles).tolist()  # type: ignore[return-value]


@pytest.mark.parametrize("encoder", [Good, Adapts, ManyOptions])
def test_a_good_encoder_passes(encoder: type[Good]) -> None:
    check_encoder(encoder())


@pytest.mark.parametrize(
    ("encoder", "sentence"),
    [
        (NoOptions, "NoOptions.Options must derive from"),
        (LaxOptions, "must refuse unknown settings"),
        (NoRecipe, "must be a spacrd_core.cards.Recipe, found None"),
        (FlatRecipe, "must be positive, found input_px=8, um_per_px=0.0, dim=6"),
        (ReturnsAnother, "must return the encoder itself"),
        (Narrow, r"5 tiles must give float32 \(5, 6\), the encoder returned float32 \(5, 4\)"),
        (Half, r"the encoder returned float16 \(5, 6\)"),
        (Infinite, "must be finite"),
        (Differentiable, "no gradient"),
        (Blind, "10 pairs are equal"),
        (Random, "the same tiles must give the same embeddings"),
        (Writes, "must not change its input tiles"),
        (Grows, r"the same embeddings, but the shapes are \(5, 6\) and \(5, 7\)"),
        (WideAlone, r"alone as in a batch of 5, but the shapes are \(5, 7\) and \(5, 6\)"),
        (Mixes, "alone as in a batch of 5, but they differ by up to"),
        (AdaptsItself, "adapt must not change the encoder itself, but they differ by up to 1"),
        (AdaptsToAnother, "adapt must return an encoder of the same recipe"),
        (HidesAnOption, "option blur must be part of the recipe key, but 1.0 and 0.0 give the same key"),
        (Drifts, r'the recipe must not change with embed: settings {"tiles": 5}, not {"tiles": 1}'),
        (Computed, "recipe must be an attribute that can be set"),
        (Lists, "must return a torch tensor, found list"),
    ],
)
def test_a_violation_is_reported(encoder: type[Good], sentence: str) -> None:
    with pytest.raises(ContractError, match=sentence):
        check_encoder(encoder())


def test_a_card_shows_the_recipe_of_its_encoder() -> None:
    matches_its_card((EncoderCard("good", "a:B", "Good", recipe=RECIPE), Good()))
    matches_its_card((EncoderCard("good", "a:B", "Good", family=True), Good()))
    with pytest.raises(ContractError, match="shows dim=7, the encoder has 6"):
        matches_its_card((EncoderCard("good", "a:B", "Good", recipe=replace(RECIPE, dim=7)), Good()))
    with pytest.raises(ContractError, match="must show a recipe"):
        matches_its_card((EncoderCard("good", "a:B", "Good"), Good()))


@pytest.mark.parametrize("size", [8, 33, 224])
def test_example_tiles_are_of_the_recipes_size_and_all_different(size: int) -> None:
    tiles = example_tiles(replace(RECIPE, input_px=size))
    assert tiles.shape == (5, 3, size, size)
    assert tiles.dtype == torch.uint8
    assert len({tile.numpy().tobytes() for tile in tiles}) == 5
