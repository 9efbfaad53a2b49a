"""Any timm model as an encoder, ``timm:<model>``, with the preprocessing its weights were trained with.

Models trained on photographs also work on H&E, but worse than those trained on it; random weights are for tests.
"""

import difflib
from pathlib import Path
from typing import Any

import timm
import torch
from pydantic import Field

from spacrd_core.errors import UnknownName, WeightsError
from spacrd_encoders.backbone.hub import fetch
from spacrd_encoders.backbone.networks import drop_classifier
from spacrd_encoders.backbone.timm import TimmBackbone
from spacrd_encoders.backbone.weights import load_strictly, read_tensors, sha256

FILES = ("model.safetensors", "pytorch_model.bin")


class TimmModel(TimmBackbone):
    """One timm model with weights from the Hub or a file, or random weights."""

    class Options(TimmBackbone.Options):
        """The weights to load, and the field of view of a tile."""

        weights: Path | None = Field(None, description="Local weights file, safetensors or PyTorch.")
        pretrained: bool = Field(default=True, description="Load the Hub's weights; false gives random weights.")
        seed: int = Field(0, ge=0, lt=2**63, description="Seed of random weights.")

    def __init__(self, options: Options, *, member: str) -> None:
        _refuse_unknown(member)
        self.member = member
        self.weights = options.weights or (_fetched(member) if options.pretrained else None)
        super().__init__(options, f"timm:{member}")

    def create(self) -> Any:
        """Return the network without its classifier, with random weights."""
        return timm.create_model(self.member, num_classes=0)

    def build(self) -> Any:
        """Return the network with its weights, on the CPU."""
        if self.weights is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.options.seed)
                network = self.create()
        elif self.options.weights:
            network = self.create()
            load_strictly(network, drop_classifier(read_tensors(self.weights), network), self.weights)
        else:
            network = self._from_hub(self.weights)
        return self.with_input_size(network)

    def provenance(self) -> str:
        """Return the checksum of the weights, or the seed of random weights."""
        return f"sha256:{sha256(self.weights)}" if self.weights else f"random:{self.options.seed}"

    def _from_hub(self, path: Path) -> Any:
        """Return the network with the Hub's weights, loaded by timm itself: some tensors have other names there."""
        source = {"state_dict": read_tensors(path)}
        try:
            network: Any = timm.create_model(self.member, pretrained=True, pretrained_cfg_overlay=source)
        except (RuntimeError, KeyError) as error:
            raise WeightsError(
                f"{path} does not fit timm:{self.member}: {str(error).splitlines()[0]}", hint="update timm"
            ) from error
        network.reset_classifier(0)
        return network


def _fetched(member: str) -> Path:
    config: Any = timm.get_pretrained_cfg(member)
    if config is None or not config.hf_hub_id:
        raise WeightsError(
            f"the Hub has no weights of timm:{member}",
            hint="give a weights file, or pretrained=false for random weights",
        )
    return fetch(config.hf_hub_id, (config.hf_hub_filename,) if config.hf_hub_filename else FILES)


def _refuse_unknown(member: str) -> None:
    architecture = member.partition(".")[0]
    if not timm.is_model(architecture):
        similar = difflib.get_close_matches(member, timm.list_models(), n=3)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "timm.list_models() lists them"
        raise UnknownName(f"timm has no model '{member}'", hint=hint)
    names = timm.list_pretrained(f"{architecture}.*")
    if member not in (architecture, *names):
        raise UnknownName(f"timm has no weights '{member}'", hint=f"available weights: {', '.join(names) or 'none'}")
