"""Any timm model on the Hugging Face Hub as an encoder, ``hf-hub:<owner>/<repository>[@revision]``.

The repository's config.json gives the architecture and the pixel normalisation. It is data: no code is run.
"""

from pathlib import Path
from typing import Any

import timm
from pydantic import Field

from spacrd_core.errors import WeightsError
from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.small import read_small
from spacrd_encoders.backbone.hub import fetch
from spacrd_encoders.backbone.networks import drop_classifier
from spacrd_encoders.backbone.timm import TimmBackbone
from spacrd_encoders.backbone.weights import load_strictly, read_tensors, sha256
from spacrd_encoders.timm_family import FILES

BUILD_ERRORS = (TypeError, ValueError, LookupError, RuntimeError, AttributeError, AssertionError)


class HubModel(TimmBackbone):
    """The network and weights of one repository, in timm's format."""

    class Options(TimmBackbone.Options):
        """The weights to load, and the field of view of a tile."""

        weights: Path | None = Field(None, description="Local weights file (default: the repository's).")

    def __init__(self, options: Options, *, member: str) -> None:
        self.repo, _, revision = member.partition("@")
        self.config = fetch(self.repo, ("config.json",), revision=revision or "main")
        _refuse_other_libraries(self.repo, self.config)
        self.weights = options.weights or fetch(self.repo, FILES, revision=revision or "main")
        super().__init__(options, f"hf-hub:{member}")

    def create(self) -> Any:
        """Return the network that config.json describes, with random weights."""
        try:
            return timm.create_model(f"local-dir:{self.config.parent}", num_classes=0)
        except BUILD_ERRORS as error:
            raise WeightsError(
                f"timm cannot build a network from the config.json of {self.repo}: {error}",
                hint="write a plugin for it",
            ) from error

    def build(self) -> Any:
        """Return the network with its weights, on the CPU."""
        network = self.create()
        load_strictly(network, drop_classifier(read_tensors(self.weights), network), self.weights)
        return self.with_input_size(network)

    def provenance(self) -> str:
        """Return the checksum of the weights."""
        return f"sha256:{sha256(self.weights)}"


def _refuse_other_libraries(repo: str, config: Path) -> None:
    try:
        model_config = parse_json(read_small(config, WeightsError))
    except ValueError as error:
        raise WeightsError(f"{config} is damaged: it is not JSON", hint="delete it and run again") from error
    if not isinstance(model_config, dict) or "architecture" not in model_config:
        raise WeightsError(
            f"{repo} is not a timm model: its config.json has no architecture",
            hint="spacrd plugins list shows the available encoders; others need a plugin",
        )
