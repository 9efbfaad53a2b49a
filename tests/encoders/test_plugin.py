"""The cards describe the encoders without importing them."""

import importlib
import subprocess
import sys

import pytest

from spacrd_core.cards import ComponentOptions, EncoderCard
from spacrd_core.contracts.encoder import matches_its_card
from spacrd_core.plugins import Plugins
from spacrd_encoders.plugin import spacrd_encoders

HEAVY = ("torch", "timm", "huggingface_hub", "numpy", "safetensors")


def test_listing_the_encoders_imports_nothing_heavy() -> None:
    program = (
        f"import sys, spacrd_encoders.plugin as p; p.spacrd_encoders(); print([m for m in {HEAVY} if m in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


@pytest.mark.parametrize("card", spacrd_encoders(), ids=lambda card: card.name)
def test_every_card_points_at_a_class_with_options(card: EncoderCard) -> None:
    module, _, name = card.target.partition(":")
    assert issubclass(getattr(importlib.import_module(module), name).Options, ComponentOptions)


def test_stain_matches_its_card(plugins: Plugins) -> None:
    matches_its_card((plugins.encoders.card("stain"), plugins.encoders.create("stain")))
