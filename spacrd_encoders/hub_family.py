"""Any timm model of the Hugging Face Hub as an encoder, ``hf-hub:<owner>/<repository>[@revision]``.

The repository's config.json says what the network is and how its pixels were scaled. It is data: no code is run.
"""

import json
from pathlib import Path
from typing import Any

import timm
from pydantic import Field

from spacrd_core.errors import WeightsError
from spacrd_encoders.backbone.hub import fetch
from spacrd_encoders.backbone.networks import without_classifier
from spacrd_encoders.backbone.timm import TimmBackbone
from spacrd_encoders.backbone.weights import load_strictly, read_tensors, sha256
from spacrd_encoders.timm_family import FILES

MISFITS = (TypeError, ValueError, LookupError, RuntimeError, AttributeError, AssertionError)


class HubModel(TimmBackbone):
    """One repository's network and weights, as timm saves them."""

    class Options(TimmBackbone.Options):
        """Which weights, and how much tissue a tile shows."""

        weights: Path | None = Field(None, description="A file of its weights; without it, the repository's.")

    def __init__(self, options: Options, *, member: str) -> None:
        self.repo, _, revision = member.partition("@")
        self.config = fetch(self.repo, ("config.json",), revision=revision or "main")
        _refuse_other_libraries(self.repo, self.config)
        self.weights = options.weights or fetch(self.repo, FILES, revision=revision or "main")
        super().__init__(options, f"hf-hub:{member}")

    def create(self) -> Any:
        """Return the network that config.json describes, its numbers random."""
        try:
            return timm.create_model(f"local-dir:{self.config.parent}", num_classes=0)
        except MISFITS as error:
            raise WeightsError(
                f"the config.json of {self.repo} describes no network of timm: {error}", hint="write a plugin for it"
            ) from error

    def build(self) -> Any:
        """Return the network with its weights, on the CPU."""
        network = self.create()
        load_strictly(network, without_classifier(read_tensors(self.weights), network), self.weights)
        return self.resized(network)

    def provenance(self) -> str:
        """Return the weights' checksum."""
        return f"sha256:{sha256(self.weights)}"


def _refuse_other_libraries(repo: str, config: Path) -> None:
    try:
        described = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsError(f"{config} is damaged: it is not JSON", hint="delete it and run again") from error
    if not isinstance(described, dict) or "architecture" not in described:
        raise WeightsError(
            f"{repo} is not a timm model: its config.json names no architecture",
            hint="spacrd plugins list shows the encoders there are; others take a plugin",
        )
