"""Any model of timm as an encoder, ``timm:<model>``; its preprocessing is the one its weights were trained with.

Models trained on photographs see H&E too, but less well than those trained on it; random weights are for trials.
"""

import difflib
import json
from pathlib import Path
from typing import Any

import timm
import torch
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from timm.data.config import resolve_data_config
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.errors import ConfigError, UnknownName, WeightsError
from spacrd_encoders._base import Backbone
from spacrd_encoders._hub import explained
from spacrd_encoders._weights import load_strictly, read_tensors, sha256


class TimmModel(Backbone):
    """One model of timm, frozen, without its classifier."""

    class Options(ComponentOptions):
        """Which weights, and how much tissue a tile shows."""

        weights: Path | None = Field(None, description="A local file of this model's weights, safetensors or PyTorch.")
        pretrained: bool = Field(default=True, description="The Hub's weights; false gives random ones.")
        seed: NonNegativeInt = Field(0, description="Of random weights.")
        um_per_px: PositiveFloat = Field(0.5, description="Of the tiles.")
        input_px: PositiveInt | None = Field(None, description="Width of the tiles; without it, the model's own.")

    def __init__(self, options: Options, *, member: str) -> None:
        self.options = options
        self.member = member
        with torch.device("meta"):
            outline = self._resized(_create(member))
        super().__init__(self._recipe(outline))

    def build(self) -> nn.Module:
        """Return the network with its weights, on the CPU."""
        if self.options.weights:
            network = _create(self.member)
            tensors = read_tensors(self.options.weights)
            load_strictly(network, _without_classifier(tensors, network), self.options.weights)
        elif self.options.pretrained:
            with explained(self.recipe.weights.removeprefix("hub:")):
                network = _create(self.member, pretrained=True)
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.options.seed)
                network = _create(self.member)
        whole: nn.Module = self._resized(network)
        return whole

    def _resized(self, network: Any) -> Any:
        """Return the network made for tiles of the wanted width, its position embedding resampled."""
        width, own = self.options.input_px, _config(network)["input_size"][-1]
        if width is None or width == own:
            return network
        if hasattr(network, "set_input_size"):
            network.set_input_size(img_size=(width, width))
        elif network.pretrained_cfg["fixed_input_size"]:
            raise ConfigError(f"timm:{self.member} takes tiles of {own} px only, not {width}", hint="omit input_px")
        return network

    def _recipe(self, outline: Any) -> Recipe:
        card, config = outline.pretrained_cfg, _config(outline)
        width = self.options.input_px or config["input_size"][-1]
        return Recipe(
            input_px=width,
            um_per_px=self.options.um_per_px,
            dim=self._dim(outline, width),
            mean=config["mean"],
            std=config["std"],
            pooling=_pooling(outline),
            weights=self._provenance(card),
            settings=json.dumps({"model": card["architecture"], "trained_resize": config["interpolation"]}),
            licence=card.get("license") or "unknown",
        )

    def _dim(self, outline: nn.Module, width: int) -> int:
        try:
            embedding: Tensor = outline.eval()(torch.empty(1, 3, width, width, device="meta"))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ConfigError(
                f"timm:{self.member} cannot take tiles of {width} px: {error}", hint="omit input_px"
            ) from error
        return embedding.shape[1]

    def _provenance(self, card: dict[str, Any]) -> str:
        if self.options.weights:
            return f"sha256:{sha256(self.options.weights)}"
        if not self.options.pretrained:
            return f"random:{self.options.seed}"
        if not card.get("hf_hub_id"):
            raise WeightsError(
                f"the Hub has no weights of timm:{self.member}",
                hint="give a file as weights, or pretrained=false for random ones",
            )
        return f"hub:{card['hf_hub_id']}"


def _create(member: str, *, pretrained: bool = False) -> Any:
    architecture = member.partition(".")[0]
    if not timm.is_model(architecture):
        near = difflib.get_close_matches(member, timm.list_models(), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "timm.list_models() lists them"
        raise UnknownName(f"timm has no model '{member}'", hint=hint)
    published = timm.list_pretrained(f"{architecture}.*")
    if member not in (architecture, *published):
        raise UnknownName(f"timm has no weights '{member}'", hint=f"there are: {', '.join(published) or 'none'}")
    return timm.create_model(member, pretrained=pretrained, num_classes=0)


def _config(network: Any) -> dict[str, Any]:
    config: dict[str, Any] = resolve_data_config(model=network)  # type: ignore[no-untyped-call]
    return config


def _pooling(network: Any) -> str:
    pool = getattr(network, "global_pool", "avg")
    return str(getattr(pool, "pool_type", pool)).replace("token", "cls")


def _without_classifier(tensors: dict[str, Tensor], network: Any) -> dict[str, Tensor]:
    """Leave out the classifier that published files carry and an encoder has not."""
    layers = network.pretrained_cfg["classifier"] or ()
    prefixes = tuple(f"{layer}." for layer in ([layers] if isinstance(layers, str) else layers))
    kept = network.state_dict().keys()
    return {name: tensor for name, tensor in tensors.items() if name in kept or not name.startswith(prefixes)}
