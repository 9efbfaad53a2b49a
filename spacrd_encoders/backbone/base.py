"""What encoders with a network share: a recipe known at once, a network built when it is first needed."""

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, Self

import torch
from jaxtyping import Float, Float32, UInt8
from pydantic import Field
from torch import Tensor

from spacrd_core.cards import ComponentOptions, EncoderCard, Recipe
from spacrd_core.errors import EncoderError
from spacrd_encoders.backbone.hub import fetch
from spacrd_encoders.backbone.networks import fitted, outline, pooled
from spacrd_encoders.backbone.stain_augmentation import STAIN_VIEWS, recipe_with_views, restained
from spacrd_encoders.backbone.tiles import check_tiles
from spacrd_encoders.backbone.weights import check_sha256, load_strictly, read_tensors, sha256

# Random weights are drawn from the one generator that torch has: two networks at once would mix their numbers.
_one_builds = Lock()


class Backbone(ABC):
    """A frozen network, fed by its own recipe; one embedding a tile.

    The recipe is known at once, the network is built for the first tiles.
    """

    def __init__(self, recipe: Recipe, stain_views: int = 1) -> None:
        self.recipe = recipe_with_views(recipe, stain_views)
        self.stain_views = stain_views
        self._device = torch.device("cpu")
        self._network: Any = None

    @abstractmethod
    def build(self) -> Any:
        """Return the network with its weights, on the CPU."""

    @property
    def network(self) -> Any:
        """The network, frozen, on the device it was last moved to."""
        if self._network is None:
            with _one_builds:
                if self._network is None:  # another thread was faster
                    self._network = self.build().eval().requires_grad_(requires_grad=False).to(self._device)
        return self._network

    def to(self, device: torch.device) -> Self:
        """Move to a device and return self."""
        self._device = device
        if self._network is not None:
            self._network.to(device)
        return self

    @torch.inference_mode()
    def embed(self, tiles: UInt8[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        """Return one embedding a tile, on the tiles' device: the mean over its stain views."""
        check_tiles(tiles, self.recipe)
        light = tiles.float() / 255
        embeddings = self._seen(light)
        for view in range(1, self.stain_views):
            embeddings = embeddings + self._seen(restained(light, view))
        return embeddings / self.stain_views if self.stain_views > 1 else embeddings

    def _seen(self, light: Float[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        mean, std = (torch.tensor(three, device=light.device) for three in (self.recipe.mean, self.recipe.std))
        images = (light - mean[:, None, None]) / std[:, None, None]
        prefix = getattr(self.network, "num_prefix_tokens", 0)
        embeddings = pooled(self.network(images), self.recipe.pooling, prefix)
        return embeddings.float().contiguous()


class Published(Backbone):
    """A published network, built as its card describes.

    The recipe names the weights by their checksum, so that a local file and the Hub's give one and the same recipe.
    """

    class Options(ComponentOptions):
        """Where the weights are, and in how many stainings tiles are seen."""

        weights: Path | None = Field(None, description="A file of them, safetensors or PyTorch; without it, the Hub's.")
        revision: str | None = Field(None, description="Of the Hub's repository; without it, the card's.")
        stain_views: int = STAIN_VIEWS

    def __init__(self, options: Options, *, card: EncoderCard) -> None:
        if card.network is None or card.recipe is None:
            raise EncoderError(f"the card of '{card.name}' describes no network", hint="give it a network and a recipe")
        self.options = options
        self.described = card.network
        self.weights = options.weights or fetch(
            self.described.repo,
            self.described.files,
            revision=options.revision or self.described.revision,
            or_cached=() if options.revision else ("main",),
        )
        digest = sha256(self.weights)
        if not options.weights and self.weights.name == self.described.files[0]:
            check_sha256(self.weights, digest, self.described.sha256)
        super().__init__(replace(card.recipe, weights=f"sha256:{digest}"), options.stain_views)

    def build(self) -> Any:
        """Return the network with its weights, on the CPU."""
        network = outline(self.described)
        tensors = fitted(read_tensors(self.weights), network, self.described)
        load_strictly(network, tensors, self.weights)
        return network
