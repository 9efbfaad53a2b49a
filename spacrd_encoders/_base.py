"""What the encoders of this package share: checking tiles, and a network that is built when it is first needed."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Self

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from spacrd_core.cards import Recipe
from spacrd_core.errors import EncoderError


class Backbone(ABC):
    """A frozen network, fed by its own recipe; one embedding a tile.

    The recipe is known at once, the network is built for the first tiles.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._device = torch.device("cpu")

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network with its weights, on the CPU."""

    @cached_property
    def network(self) -> nn.Module:
        """The network, frozen, on the device it was last moved to."""
        return self.build().eval().requires_grad_(requires_grad=False).to(self._device)

    def to(self, device: torch.device) -> Self:
        """Move to a device and return self."""
        self._device = device
        if "network" in vars(self):
            self.network.to(device)
        return self

    @torch.inference_mode()
    def embed(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        """Return one embedding a tile, on the tiles' device."""
        check_tiles(tiles, self.recipe)
        mean, std = (torch.tensor(three, device=tiles.device) for three in (self.recipe.mean, self.recipe.std))
        images = (tiles.float() / 255 - mean[:, None, None]) / std[:, None, None]
        embeddings: Tensor = self.network(images)
        return embeddings.float().contiguous()


def check_tiles(tiles: Tensor, recipe: Recipe) -> None:
    """Refuse tiles that are not 8-bit RGB of the recipe's size."""
    wanted = (3, recipe.input_px, recipe.input_px)
    if tiles.dtype != torch.uint8 or tuple(tiles.shape[1:]) != wanted:
        found = f"{tiles.dtype} {tuple(tiles.shape)}".removeprefix("torch.")
        raise EncoderError(f"tiles must be uint8 of shape (any, {', '.join(map(str, wanted))}), found {found}")
