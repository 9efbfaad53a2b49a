"""Encoders with a network: the recipe is available at once, the network is built when it is first used."""

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
from spacrd_encoders.backbone.networks import adapt_state_dict, build_on_meta, pool_tokens
from spacrd_encoders.backbone.stain_augmentation import STAIN_VIEWS, augment_stain, recipe_with_views
from spacrd_encoders.backbone.tiles import check_tiles
from spacrd_encoders.backbone.weights import check_sha256, load_strictly, read_tensors, sha256

# Random weights are drawn from torch's global generator: building two networks at once would change their weights.
_build_lock = Lock()


class Backbone(ABC):
    """A frozen network with the preprocessing of its recipe; one embedding per tile.

    The recipe is available at once, the network is built for the first tiles.
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
            with _build_lock:
                if self._network is None:  # another thread may have built it
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
        """Return one embedding per tile, on the tiles' device: the mean over its stain views."""
        check_tiles(tiles, self.recipe)
        light = tiles.float() / 255
        embeddings = self._embed_view(light)
        for view in range(1, self.stain_views):
            embeddings = embeddings + self._embed_view(augment_stain(light, view))
        return embeddings / self.stain_views if self.stain_views > 1 else embeddings

    def _embed_view(self, light: Float[Tensor, "tiles 3 height width"]) -> Float32[Tensor, "tiles dim"]:
        mean, std = (torch.tensor(values, device=light.device) for values in (self.recipe.mean, self.recipe.std))
        images = (light - mean[:, None, None]) / std[:, None, None]
        prefix = getattr(self.network, "num_prefix_tokens", 0)
        embeddings = pool_tokens(self.network(images), self.recipe.pooling, prefix)
        return embeddings.float().contiguous()


class HubEncoder(Backbone):
    """A network on the Hugging Face Hub, built from the specification on its card.

    The recipe identifies the weights by their checksum, so that a local file and the Hub's give the same recipe.
    """

    class Options(ComponentOptions):
        """The weights to load, and the number of stain views."""

        weights: Path | None = Field(
            None, description="Local weights file, safetensors or PyTorch (default: the Hub's)."
        )
        revision: str | None = Field(None, description="Revision of the Hub's repository (default: the card's).")
        stain_views: int = STAIN_VIEWS

    def __init__(self, options: Options, *, card: EncoderCard) -> None:
        if card.network is None or card.recipe is None:
            raise EncoderError(f"the card of '{card.name}' has no network", hint="give it a network and a recipe")
        self.options = options
        self.spec = card.network
        self.weights = options.weights or fetch(
            self.spec.repo,
            self.spec.files,
            revision=options.revision or self.spec.revision,
            or_cached=() if options.revision else ("main",),
        )
        digest = sha256(self.weights)
        if not options.weights and self.weights.name == self.spec.files[0]:
            check_sha256(self.weights, digest, self.spec.sha256)
        super().__init__(replace(card.recipe, weights=f"sha256:{digest}"), options.stain_views)

    def build(self) -> Any:
        """Return the network with its weights, on the CPU."""
        network = build_on_meta(self.spec)
        tensors = adapt_state_dict(read_tensors(self.weights), network, self.spec)
        load_strictly(network, tensors, self.weights)
        return network
