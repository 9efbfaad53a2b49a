"""UNI: a ViT-L/16 trained on 100 million patches of 100,000 H&E slides (Chen et al. 2024, Nat Med 30:850).

Its weights are gated and under CC-BY-NC-ND-4.0, which reaches the models trained on its embeddings.
"""

from dataclasses import replace
from pathlib import Path

import timm
import torch
from pydantic import Field
from torch import nn

from spacrd_core.cards import ComponentOptions
from spacrd_encoders._base import Backbone
from spacrd_encoders._hub import fetch
from spacrd_encoders._weights import load_strictly, read_tensors, sha256
from spacrd_encoders.plugin import UNI

REPOSITORY = UNI.weights.removeprefix("hub:")
FILE = "pytorch_model.bin"


class Uni(Backbone):
    """UNI, frozen: 112 um of tissue to 1024 numbers.

    The recipe names the weights by their checksum, so that a local file and the Hub's give one and the same recipe.
    """

    class Options(ComponentOptions):
        """Where the weights are."""

        weights: Path | None = Field(None, description="pytorch_model.bin or its safetensors; without it, the Hub's.")

    def __init__(self, options: Options) -> None:
        self._weights = options.weights or fetch(REPOSITORY, FILE)
        super().__init__(replace(UNI, weights=f"sha256:{sha256(self._weights)}"))

    def build(self) -> nn.Module:
        """Return the network with its weights, on the CPU."""
        tensors = read_tensors(self._weights)
        with torch.device("meta"):
            network = architecture()
        load_strictly(network, tensors, self._weights)
        return network


def architecture() -> nn.Module:
    """Return the network without its weights."""
    network: nn.Module = timm.create_model(
        "vit_large_patch16_224",
        img_size=224,
        patch_size=16,
        init_values=1e-5,
        num_classes=0,
        dynamic_img_size=True,
    )
    return network
