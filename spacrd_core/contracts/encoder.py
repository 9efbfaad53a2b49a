"""What every image encoder must satisfy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spacrd_core.cards import Recipe
from spacrd_core.contracts.expect import expect, expect_options
from spacrd_core.embedding.encoder import AdaptiveEncoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from spacrd_core.cards import EncoderCard
    from spacrd_core.embedding.encoder import Encoder

TILES = 5


def check_encoder(encoder: Encoder) -> None:
    """Check everything an encoder promises.

    Raises
    ------
    ContractError
        With the first promise that is broken.
    """
    for check in ENCODER_CHECKS:
        check(encoder)


def has_options(encoder: Encoder) -> None:
    """Its options are a model that refuses unknown settings."""
    expect_options(encoder)


def has_a_recipe(encoder: Encoder) -> None:
    """Its recipe says how large a tile is, in px and in um, and how many numbers it gives."""
    recipe = getattr(encoder, "recipe", None)
    expect(isinstance(recipe, Recipe), f"the encoder's recipe must be a spacrd_core.cards.Recipe, not {recipe!r}")
    facts = f"input_px={encoder.recipe.input_px}, um_per_px={encoder.recipe.um_per_px}, dim={encoder.recipe.dim}"
    positive = min(encoder.recipe.input_px, encoder.recipe.um_per_px, encoder.recipe.dim) > 0
    expect(positive, f"the recipe's sizes must be positive, not {facts}")


def moves_to_a_device(encoder: Encoder) -> None:
    """``to`` gives the encoder itself back."""
    moved = encoder.to(torch.device("cpu"))
    expect(moved is encoder, f"to(device) must return the encoder itself, not {type(moved).__name__}")


def gives_one_embedding_a_tile(encoder: Encoder) -> None:
    """Every tile gives finite float32 numbers, as many as the recipe says, without a gradient."""
    found = _embed(encoder, example_tiles(encoder.recipe))
    wanted = (TILES, encoder.recipe.dim)
    shape = f"{str(found.dtype).removeprefix('torch.')} {tuple(found.shape)}"
    good = found.dtype == torch.float32 and tuple(found.shape) == wanted
    expect(good, f"{TILES} tiles must give float32 {wanted}, the encoder gave {shape}")
    expect(found.isfinite().all(), f"embeddings must be finite, {int((~found.isfinite()).sum())} numbers are not")
    expect(not found.requires_grad, "embeddings must carry no gradient: embed under torch.inference_mode()")


def sees_the_tile(encoder: Encoder) -> None:
    """Tiles that differ get embeddings that differ."""
    found = _embed(encoder, example_tiles(encoder.recipe))
    same = (torch.cdist(found, found) == 0).sum() - len(found)
    expect(
        same == 0, f"{TILES} different tiles must give {TILES} different embeddings, {int(same) // 2} pairs are equal"
    )


def is_deterministic(encoder: Encoder) -> None:
    """The same tiles give the same numbers again, and are left as they were."""
    tiles = example_tiles(encoder.recipe)
    before = tiles.clone()
    first, second = _embed(encoder, tiles), _embed(encoder, tiles)
    expect(torch.equal(tiles, before), "embed must not change the tiles it is given")
    expect(torch.equal(first, second), f"the same tiles must give the same numbers, {_apart(first, second)}")


def does_not_mix_tiles(encoder: Encoder) -> None:
    """A tile gives the same alone as among others, wherever it stands."""
    tiles = example_tiles(encoder.recipe)
    together = _embed(encoder, tiles)
    alone = torch.cat([_embed(encoder, tiles[k : k + 1]) for k in range(len(tiles))])
    slack = 1e-4 * float(together.abs().max())  # matrix products of another size round differently
    same = alone.shape == together.shape and torch.allclose(alone, together, rtol=1e-3, atol=slack)
    expect(same, f"a tile must give the same alone as in a batch of {TILES}, {_apart(alone, together)}")


def adapts_without_changing(encoder: Encoder) -> None:
    """If it adapts to a section, it gives an encoder of the same recipe and stays as it was."""
    if not isinstance(encoder, AdaptiveEncoder):
        return
    tiles = example_tiles(encoder.recipe)
    before = _embed(encoder, tiles)
    adapted = encoder.adapt(tiles)
    expect(adapted.recipe == encoder.recipe, "adapt must return an encoder of the same recipe")
    gives_one_embedding_a_tile(adapted)
    after = _embed(encoder, tiles)
    expect(torch.equal(before, after), f"adapt must leave the encoder as it was, {_apart(before, after)}")


def keeps_to_its_card(pair: tuple[EncoderCard, Encoder]) -> None:
    """Its recipe is the one its card shows, so that listing it needs no import."""
    card, encoder = pair
    if card.recipe is None:
        expect(card.family, f"the card of '{card.name}' must show a recipe: only a family's members have their own")
        return
    for fact in ("input_px", "um_per_px", "dim", "pooling", "licence", "gated"):
        shown, true = getattr(card.recipe, fact), getattr(encoder.recipe, fact)
        expect(shown == true, f"the card of '{card.name}' shows {fact}={shown!r}, the encoder has {true!r}")


def example_tiles(recipe: Recipe) -> Tensor:
    """Return glass, grey, a gradient and two kinds of noise: 8-bit RGB of the recipe's size."""
    size = recipe.input_px
    numbers = torch.Generator().manual_seed(0)
    fine = torch.randint(0, 256, (3, size, size), generator=numbers, dtype=torch.uint8)
    coarse = torch.randint(0, 256, (3, 4, 4), generator=numbers).float()
    blurred = torch.nn.functional.interpolate(coarse[None], (size, size), mode="bilinear")[0].to(torch.uint8)
    ramp = torch.linspace(0, 255, size).to(torch.uint8).expand(3, size, size)
    flat = [torch.full((3, size, size), value, dtype=torch.uint8) for value in (240, 128)]
    return torch.stack([*flat, ramp, fine, blurred])


def _embed(encoder: Encoder, tiles: Tensor) -> Tensor:
    found = encoder.embed(tiles)
    expect(isinstance(found, torch.Tensor), f"embed must return a torch tensor, not {type(found).__name__}")
    return found


def _apart(one: Tensor, other: Tensor) -> str:
    if one.shape != other.shape:
        return f"the shapes are {tuple(one.shape)} and {tuple(other.shape)}"
    return f"they are up to {float((one - other).abs().max()):.3g} apart"


ENCODER_CHECKS: tuple[Callable[[Encoder], None], ...] = (
    has_options,
    has_a_recipe,
    moves_to_a_device,
    gives_one_embedding_a_tile,
    sees_the_tile,
    is_deterministic,
    does_not_mix_tiles,
    adapts_without_changing,
)
