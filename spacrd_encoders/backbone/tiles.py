"""What every encoder of this package asks of the tiles it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spacrd_core.errors import EncoderError

if TYPE_CHECKING:
    from spacrd_core.cards import Recipe


def check_tiles(tiles: torch.Tensor, recipe: Recipe) -> None:
    """Refuse tiles that are not 8-bit RGB of the recipe's size."""
    wanted = (3, recipe.input_px, recipe.input_px)
    if tiles.dtype != torch.uint8 or tuple(tiles.shape[1:]) != wanted:
        found = f"{tiles.dtype} {tuple(tiles.shape)}".removeprefix("torch.")
        raise EncoderError(f"tiles must be uint8 of shape (any, {', '.join(map(str, wanted))}), found {found}")
