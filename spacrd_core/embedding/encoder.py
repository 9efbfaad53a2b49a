"""The contract of an image encoder."""

from typing import Protocol, Self, runtime_checkable

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe


class Encoder(Protocol):
    """An image encoder: RGB tiles in, one embedding a tile out.

    >>> class Brightness:
    ...     Options = ComponentOptions
    ...     recipe = Recipe(input_px=32, um_per_px=3.5, dim=3)
    ...     def __init__(self, options): ...
    ...     def to(self, device): return self
    ...     def embed(self, tiles): return tiles.float().mean(dim=(2, 3))

    The engine cuts ``recipe.patch_um`` of tissue, resamples it to ``recipe.input_px`` and hands over 8-bit RGB; the
    encoder normalises by its own recipe. An embedding depends on its tile alone, never on the others of the batch.
    """

    Options: type[ComponentOptions]
    recipe: Recipe

    def to(self, device: torch.device) -> Self:
        """Move to a device and return self."""
        ...

    def embed(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        """Return one embedding a tile, on the tiles' device."""
        ...


@runtime_checkable
class AdaptiveEncoder(Encoder, Protocol):
    """An encoder that wants to see a sample of a section's tiles first, to allow for how that section was made.

    It must work without, too: for one tile, nobody knows the section.
    """

    def adapt(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Encoder:
        """Return an encoder of the same recipe for the section whose tiles these are; the order does not matter."""
        ...
