"""Make the card and recipe of a published encoder from its facts, without heavy imports."""

from __future__ import annotations

import json
from typing import Any

from spacrd_core.cards import EncoderCard, Network, Recipe

HUB_ENCODER = "spacrd_encoders.backbone.base:HubEncoder"

# Mean and standard deviation of pixels, shared by many encoders.
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
HALF = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


def hub_card(  # noqa: PLR0913 - the facts of a card
    name: str,
    summary: str,
    *,
    network: Network,
    recipe: dict[str, Any],
    resize: str,
    citation: str,
    aliases: tuple[str, ...] = (),
    trained_um_per_px: tuple[float, ...] = (0.5,),
    robust: tuple[str, ...] = (),
) -> EncoderCard:
    """Return the card of a network on the Hugging Face Hub.

    The recipe's settings include the architecture, so that another architecture gives another recipe.
    ``resize`` is the filter with which its authors resize tiles: ``triangle`` (antialiased bilinear) or ``bicubic``.
    """
    settings = {"model": network.architecture, "arguments": network.arguments}
    preprocessing = {"input_px": 224, "um_per_px": 0.5, "resize": resize, **recipe}
    return EncoderCard(
        name,
        HUB_ENCODER,
        summary,
        aliases=aliases,
        recipe=Recipe(weights=f"hub:{network.repo}", settings=json.dumps(settings, sort_keys=True), **preprocessing),
        citation=citation,
        trained_um_per_px=trained_um_per_px,
        network=network,
        robust=robust,
    )
