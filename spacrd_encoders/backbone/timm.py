"""Models with preprocessing that timm defines: their recipe is read from the network on the meta device."""

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

RESIZE = {"bilinear": "triangle", "bicubic": "bicubic"}  # timm's name of an antialiased filter: ours


class TimmBackbone(Backbone):
    """A frozen timm model without its classifier."""

    class Options(ComponentOptions):
        """The field of view of a tile, and the number of stain views."""

        um_per_px: FiniteFloat = Field(0.5, gt=0, le=100, description="Resolution of the tiles, in um/px.")
        input_px: PositiveInt | None = Field(None, description="Width of the tiles, in px (default: the model's).")
        stain_views: int = STAIN_VIEWS

    def __init__(self, options: Options, title: str) -> None:
        self.options: Any = options
        self.title = title
        with torch.device("meta"):
            meta_network = self.with_input_size(self.create())
        super().__init__(self._recipe(meta_network), self.options.stain_views)

    @abstractmethod
    def create(self) -> Any:
        """Return the network without its classifier, with arbitrary weights."""

    @abstractmethod
    def provenance(self) -> str:
        """Return the origin of the weights, for the recipe."""

    def with_input_size(self, network: Any) -> Any:
        """Return the network adapted to the width of the tiles, with resampled position embedding."""
        width, default = self.options.input_px, _config(network)["input_size"][-1]
        if width is None or width == default:
            return network
        if hasattr(network, "set_input_size"):
            network.set_input_size(img_size=(width, width))
        elif network.pretrained_cfg["fixed_input_size"]:
            raise ConfigError(f"{self.title} takes tiles of {default} px only, not {width}", hint="omit input_px")
        return network

    def _recipe(self, meta_network: Any) -> Recipe:
        pretrained_cfg, config = meta_network.pretrained_cfg, _config(meta_network)
        width = self.options.input_px or config["input_size"][-1]
        return Recipe(
            input_px=width,
            um_per_px=self.options.um_per_px,
            dim=self._dim(meta_network, width),
            resize=self._resize(config["interpolation"]),
            mean=tuple(config["mean"]),  # configurations on the Hub hold lists
            std=tuple(config["std"]),
            pooling=_pooling(meta_network),
            weights=self.provenance(),
            settings=json.dumps({"model": pretrained_cfg["architecture"]}),
            licence=pretrained_cfg.get("license") or "unknown",
        )

    def _resize(self, interpolation: str) -> str:
        if interpolation not in RESIZE:
            raise ConfigError(
                f"{self.title} needs tiles resized with '{interpolation}', which SpaCRD does not support",
                hint=f"choose a model whose tiles are resized with {' or '.join(RESIZE)}",
            )
        return RESIZE[interpolation]

    def _dim(self, meta_network: nn.Module, width: int) -> int:
        try:
            embedding: Tensor = meta_network.eval()(torch.empty(1, 3, width, width, device="meta"))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ConfigError(f"{self.title} cannot take tiles of {width} px: {error}", hint="omit input_px") from error
        if embedding.ndim > 3:
            raise ConfigError(
                f"{self.title} gives a feature map, not one embedding per tile", hint="choose a model that pools"
            )
        return embedding.shape[-1]


def _config(network: Any) -> dict[str, Any]:
    config: dict[str, Any] = resolve_data_config(model=network)  # type: ignore[no-untyped-call]
    return config


def _pooling(network: Any) -> str:
    pool = getattr(network, "global_pool", "avg")
    return str(getattr(pool, "pool_type", pool)).replace("token", "cls") or "cls"
