"""Resampling and encoders keep to their device: they mix no devices, and never wait for values.

No device is needed to show it.
"""

from typing import Any

import numpy as np
import pytest
import timm
import torch
from stand_ins.device import CUDA, absent_device
from torch import Tensor, nn

from spacrd_core.cards import Recipe
from spacrd_core.embedding.forward import run_encoder
from spacrd_core.slide.resample import FILTERS, resample
from spacrd_encoders.backbone.base import Backbone
from spacrd_encoders.stain import Stain
from spacrd_encoders.stain_normalisation import Staining

BATCH = 3


class Untrained(Backbone):
    """A small network without weights, on the host until :meth:`place`."""

    def __init__(self, recipe: Recipe, stain_views: int) -> None:
        super().__init__(recipe, stain_views)
        self._network = self.build().eval()

    def build(self) -> Any:
        """Return the network."""
        return timm.create_model(
            "vit_tiny_patch16_224", num_classes=0, img_size=self.recipe.input_px, depth=1, global_pool=""
        )

    def place(self) -> None:
        """Put weights without values on the device; the method ``to`` of a module needs a device that exists."""
        for module in self._network.modules():
            for name, values in list(module.named_parameters(recurse=False)):
                setattr(module, name, nn.Parameter(torch.empty(values.shape, device=CUDA), requires_grad=False))


def tiles(recipe: Recipe) -> Tensor:
    return torch.empty((BATCH, 3, recipe.input_px, recipe.input_px), dtype=torch.uint8, device=CUDA)


@pytest.mark.parametrize("resize", FILTERS)
def test_resampling_stays_on_the_device(resize: str) -> None:
    with absent_device():
        windows = torch.empty((BATCH, 3, 70, 70), dtype=torch.uint8, device=CUDA)
        offsets = torch.empty((BATCH, 2), dtype=torch.float64, device=CUDA)
        small = resample(windows, offsets, side=64.5, out_px=48, resize=resize)
    assert (small.device, small.shape, small.dtype) == (CUDA, (BATCH, 3, 48, 48), torch.uint8)


@pytest.mark.parametrize("pooling", ["cls", "cls+mean"])
@pytest.mark.parametrize("views", [1, 3])
def test_a_network_stays_on_the_device(pooling: str, views: int) -> None:
    dim = 384 if pooling == "cls+mean" else 192
    recipe = Recipe(input_px=48, um_per_px=0.5, dim=dim, pooling=pooling, settings="{}")
    encoder: Any = Untrained(recipe, views)
    with absent_device(constants=True):
        encoder.place()
        embeddings = run_encoder(encoder, "untrained", tiles(recipe))
    assert (embeddings.device, embeddings.dtype) == (CUDA, torch.float32)


@pytest.mark.parametrize("normalised", [False, True])
def test_the_stain_encoder_stays_on_the_device(normalised: bool) -> None:  # noqa: FBT001
    staining = Staining(np.zeros(3), np.eye(3)) if normalised else None
    encoder: Any = Stain(Stain.Options(normalised=normalised), staining)
    with absent_device(constants=True):
        embeddings = run_encoder(encoder, "stain", tiles(encoder.recipe))
    assert (embeddings.device, embeddings.dtype) == (CUDA, torch.float32)
