"""Models whose preprocessing timm knows: their recipe is read off the network's outline."""

import json
from abc import abstractmethod
from typing import Any

import torch
from pydantic import Field, FiniteFloat, PositiveInt
from timm.data.config import resolve_data_config
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.errors import ConfigError
from spacrd_encoders.backbone.base import Backbone
from spacrd_encoders.backbone.stain_augmentation import STAIN_VIEWS

RESIZE = {"bilinear": "triangle", "bicubic": "bicubic"}  # timm's name of an antialiased filter, and ours


class TimmBackbone(Backbone):
    """A model of timm, frozen, without its classifier."""

    class Options(ComponentOptions):
        """How much tissue a tile shows, and in how many stainings it is seen."""

        um_per_px: FiniteFloat = Field(0.5, gt=0, le=100, description="Of the tiles.")
        input_px: PositiveInt | None = Field(None, description="Width of the tiles; without it, the model's own.")
        stain_views: int = STAIN_VIEWS

    def __init__(self, options: Options, title: str) -> None:
        self.options: Any = options
        self.title = title
        with torch.device("meta"):
            outline = self.resized(self.create())
        super().__init__(self._recipe(outline), self.options.stain_views)

    @abstractmethod
    def create(self) -> Any:
        """Return the network without its classifier, its numbers as they come."""

    @abstractmethod
    def provenance(self) -> str:
        """Return where the numbers come from, for the recipe."""

    def resized(self, network: Any) -> Any:
        """Return the network made for tiles of the wanted width, its position embedding resampled."""
        width, own = self.options.input_px, _config(network)["input_size"][-1]
        if width is None or width == own:
            return network
        if hasattr(network, "set_input_size"):
            network.set_input_size(img_size=(width, width))
        elif network.pretrained_cfg["fixed_input_size"]:
            raise ConfigError(f"{self.title} takes tiles of {own} px only, not {width}", hint="omit input_px")
        return network

    def _recipe(self, outline: Any) -> Recipe:
        published, config = outline.pretrained_cfg, _config(outline)
        width = self.options.input_px or config["input_size"][-1]
        return Recipe(
            input_px=width,
            um_per_px=self.options.um_per_px,
            dim=self._dim(outline, width),
            resize=self._resize(config["interpolation"]),
            mean=tuple(config["mean"]),  # a configuration of the Hub's holds lists
            std=tuple(config["std"]),
            pooling=_pooling(outline),
            weights=self.provenance(),
            settings=json.dumps({"model": published["architecture"]}),
            licence=published.get("license") or "unknown",
        )

    def _resize(self, interpolation: str) -> str:
        if interpolation not in RESIZE:
            raise ConfigError(
                f"{self.title} wants its tiles resized by '{interpolation}', which SpaCRD does not do",
                hint=f"choose a model that is resized by {' or '.join(RESIZE)}",
            )
        return RESIZE[interpolation]

    def _dim(self, outline: nn.Module, width: int) -> int:
        try:
            embedding: Tensor = outline.eval()(torch.empty(1, 3, width, width, device="meta"))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ConfigError(f"{self.title} cannot take tiles of {width} px: {error}", hint="omit input_px") from error
        if embedding.ndim > 3:
            raise ConfigError(f"{self.title} gives a map, not one embedding a tile", hint="choose a model that pools")
        return embedding.shape[-1]


def _config(network: Any) -> dict[str, Any]:
    config: dict[str, Any] = resolve_data_config(model=network)  # type: ignore[no-untyped-call]
    return config


def _pooling(network: Any) -> str:
    pool = getattr(network, "global_pool", "avg")
    return str(getattr(pool, "pool_type", pool)).replace("token", "cls") or "cls"
