"""The contract of image encoders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from spacrd_core.cards import Recipe
from spacrd_core.contracts.expect import expect, expect_options
from spacrd_core.contracts.recipe_key import every_option_is_in_the_key, every_version_is_in_the_key
from spacrd_core.embedding.encoder import AdaptiveEncoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from spacrd_core.cards import EncoderCard
    from spacrd_core.embedding.encoder import Encoder

EXAMPLE_TILES = 5


def check_encoder(encoder: Encoder) -> None:
    """Run all checks on an encoder.

    Raises
    ------
    ContractError
        For the first check that fails.
    """
    for check in ENCODER_CHECKS:
        check(encoder)


def has_options(encoder: Encoder) -> None:
    """The options are a model that rejects unknown settings."""
    expect_options(encoder)


def has_a_recipe(encoder: Encoder) -> None:
    """The recipe has the tile size in px and um, and the number of features."""
    recipe = getattr(encoder, "recipe", None)
    expect(isinstance(recipe, Recipe), f"the encoder's recipe must be a spacrd_core.cards.Recipe, found {recipe!r}")
    sizes = f"input_px={encoder.recipe.input_px}, um_per_px={encoder.recipe.um_per_px}, dim={encoder.recipe.dim}"
    positive = min(encoder.recipe.input_px, encoder.recipe.um_per_px, encoder.recipe.dim) > 0
    expect(positive, f"the recipe's sizes must be positive, found {sizes}")


def keeps_its_recipe(encoder: Encoder) -> None:
    """The recipe, which can be set, does not change when tiles are embedded."""
    before = encoder.recipe
    try:
        encoder.recipe = before  # as a registry does to add the options and the version of the plugin
    except AttributeError:
        expect(condition=False, sentence="recipe must be an attribute that can be set, not a property")
    _embed(encoder, example_tiles(before))
    expect(encoder.recipe == before, f"the recipe must not change with embed: {encoder.recipe.differences(before)}")


def moves_to_a_device(encoder: Encoder) -> None:
    """``to`` returns the encoder itself."""
    moved = encoder.to(torch.device("cpu"))
    expect(moved is encoder, f"to(device) must return the encoder itself, found {type(moved).__name__}")


def gives_one_embedding_per_tile(encoder: Encoder) -> None:
    """Every tile has one finite float32 embedding of the dimension in the recipe, without a gradient."""
    embeddings = _embed(encoder, example_tiles(encoder.recipe))
    expected_shape = (EXAMPLE_TILES, encoder.recipe.dim)
    returned = f"{str(embeddings.dtype).removeprefix('torch.')} {tuple(embeddings.shape)}"
    matches = embeddings.dtype == torch.float32 and tuple(embeddings.shape) == expected_shape
    expect(matches, f"{EXAMPLE_TILES} tiles must give float32 {expected_shape}, the encoder returned {returned}")
    non_finite = int((~embeddings.isfinite()).sum())
    expect(non_finite == 0, f"embeddings must be finite, {non_finite} values are not")
    expect(not embeddings.requires_grad, "embeddings must have no gradient: embed under torch.inference_mode()")


def depends_on_the_tile(encoder: Encoder) -> None:
    """Different tiles have different embeddings."""
    embeddings = _embed(encoder, example_tiles(encoder.recipe))
    same = (torch.cdist(embeddings, embeddings) == 0).sum() - len(embeddings)
    expect(
        same == 0,
        f"{EXAMPLE_TILES} different tiles must give different embeddings, {int(same) // 2} pairs are equal",
    )


def is_deterministic(encoder: Encoder) -> None:
    """The same tiles give the same embeddings again, and are not modified."""
    tiles = example_tiles(encoder.recipe)
    before = tiles.clone()
    first, second = _embed(encoder, tiles), _embed(encoder, tiles)
    expect(torch.equal(tiles, before), "embed must not change its input tiles")
    expect(torch.equal(first, second), f"the same tiles must give the same embeddings, {_difference(first, second)}")


def does_not_mix_tiles(encoder: Encoder) -> None:
    """The embedding of a tile does not depend on the other tiles of the batch or on its position."""
    tiles = example_tiles(encoder.recipe)
    together = _embed(encoder, tiles)
    alone = torch.cat([_embed(encoder, tiles[k : k + 1]) for k in range(len(tiles))])
    tolerance = 1e-4 * float(together.abs().max())  # matrix products of different sizes round differently
    same = alone.shape == together.shape and torch.allclose(alone, together, rtol=1e-3, atol=tolerance)
    expect(
        same,
        f"a tile must give the same embedding alone as in a batch of {EXAMPLE_TILES}, {_difference(alone, together)}",
    )


def adapts_without_changing(encoder: Encoder) -> None:
    """If the encoder adapts to a section, it returns an encoder of the same recipe and does not change itself."""
    if not isinstance(encoder, AdaptiveEncoder):
        return
    tiles = example_tiles(encoder.recipe)
    before = _embed(encoder, tiles)
    adapted = encoder.adapt(tiles)
    same = (
        replace(adapted.recipe, settings=encoder.recipe.settings) == encoder.recipe
    )  # a registry adds to the settings
    expect(same, "adapt must return an encoder of the same recipe")
    gives_one_embedding_per_tile(adapted)
    after = _embed(encoder, tiles)
    expect(torch.equal(before, after), f"adapt must not change the encoder itself, {_difference(before, after)}")


def matches_its_card(pair: tuple[EncoderCard, Encoder]) -> None:
    """The recipe is the one on the card, so that listing the encoder needs no import."""
    card, encoder = pair
    if card.recipe is None:
        expect(card.family, f"the card of '{card.name}' must show a recipe; only a family may have none")
        return
    for field in ("input_px", "um_per_px", "dim", "pooling", "licence", "gated"):
        on_card, actual = getattr(card.recipe, field), getattr(encoder.recipe, field)
        expect(on_card == actual, f"the card of '{card.name}' shows {field}={on_card!r}, the encoder has {actual!r}")


def example_tiles(recipe: Recipe) -> Tensor:
    """Return 8-bit RGB tiles of the recipe's size: background, grey, a gradient and two kinds of noise."""
    size = recipe.input_px
    generator = torch.Generator().manual_seed(0)
    fine = torch.randint(0, 256, (3, size, size), generator=generator, dtype=torch.uint8)
    coarse = torch.randint(0, 256, (3, 4, 4), generator=generator).float()
    blurred = torch.nn.functional.interpolate(coarse[None], (size, size), mode="bilinear")[0].to(torch.uint8)
    ramp = torch.linspace(0, 255, size).to(torch.uint8).expand(3, size, size)
    flat = [torch.full((3, size, size), value, dtype=torch.uint8) for value in (240, 128)]
    return torch.stack([*flat, ramp, fine, blurred])


def _embed(encoder: Encoder, tiles: Tensor) -> Tensor:
    embeddings = encoder.embed(tiles)
    expect(isinstance(embeddings, torch.Tensor), f"embed must return a torch tensor, found {type(embeddings).__name__}")
    return embeddings


def _difference(first: Tensor, second: Tensor) -> str:
    if first.shape != second.shape:
        return f"but the shapes are {tuple(first.shape)} and {tuple(second.shape)}"
    return f"but they differ by up to {float((first - second).abs().max()):.3g}"


ENCODER_CHECKS: tuple[Callable[[Encoder], None], ...] = (
    has_options,
    has_a_recipe,
    every_option_is_in_the_key,
    every_version_is_in_the_key,
    moves_to_a_device,
    gives_one_embedding_per_tile,
    depends_on_the_tile,
    is_deterministic,
    does_not_mix_tiles,
    adapts_without_changing,
    keeps_its_recipe,
)
