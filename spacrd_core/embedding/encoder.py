"""The contract of an image encoder."""

from typing import Protocol, Self, runtime_checkable

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe


class Encoder(Protocol):
    """An image encoder: RGB tiles in, one embedding per tile out.

    >>> class Brightness:
    ...     Options = ComponentOptions
    ...     recipe = Recipe(input_px=32, um_per_px=3.5, dim=3)
    ...     def __init__(self, options): ...
    ...     def to(self, device): return self
    ...     def embed(self, tiles): return tiles.float().mean(dim=(2, 3))

    It receives patches of ``recipe.patch_um`` of tissue, resampled to ``recipe.input_px``, in 8-bit RGB, and normalises
    them by its own recipe. An embedding depends only on its tile, never on the other tiles of the batch.
    """

    Options: type[ComponentOptions]
    recipe: Recipe

    def to(self, device: torch.device) -> Self:
        """Move to a device and return self."""
        ...

    def embed(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        """Return one embedding per tile, on the tiles' device."""
        ...


@runtime_checkable
class AdaptiveEncoder(Encoder, Protocol):
    """An encoder that can be adapted to a section by a sample of its tiles, for instance to its staining.

    It must also work without adaptation: the section of a single tile may be unknown.
    """

    def adapt(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Encoder:
        """Return an encoder of the same recipe for the section of these tiles; their order does not matter."""
        ...
