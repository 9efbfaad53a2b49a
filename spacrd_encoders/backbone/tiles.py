"""Check the tiles given to an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spacrd_core.errors import EncoderError

if TYPE_CHECKING:
    from spacrd_core.cards import Recipe


def check_tiles(tiles: torch.Tensor, recipe: Recipe) -> None:
    """Raise an error unless tiles are 8-bit RGB of the recipe's size."""
    shape = (3, recipe.input_px, recipe.input_px)
    if tiles.dtype != torch.uint8 or tuple(tiles.shape[1:]) != shape:
        found = f"{tiles.dtype} {tuple(tiles.shape)}".removeprefix("torch.")
        raise EncoderError(f"tiles must be uint8 of shape (any, {', '.join(map(str, shape))}), found {found}")
