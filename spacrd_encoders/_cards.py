"""How a published encoder becomes a card: facts in, recipe and card out. Nothing heavy is imported."""

from __future__ import annotations

import json
from typing import Any

from spacrd_core.cards import EncoderCard, Network, Recipe

PUBLISHED = "spacrd_encoders.backbone.base:Published"

# Mean and standard deviation of the pixels that many encoders share.
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
HALF = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


def published(  # noqa: PLR0913 - the facts of a card
    name: str,
    summary: str,
    *,
    network: Network,
    recipe: dict[str, Any],
    resize: str,
    citation: str,
    aliases: tuple[str, ...] = (),
    trained_um_per_px: tuple[float, ...] = (0.5,),
) -> EncoderCard:
    """Return the card of a published network.

    Its recipe's settings hold what the network is built from, so that another architecture is another recipe.
    ``resize`` is how its owner resizes tiles: ``triangle`` (antialiased bilinear) or ``bicubic``.
    """
    settings = {"model": network.architecture, "arguments": network.arguments}
    sees = {"input_px": 224, "um_per_px": 0.5, "resize": resize, **recipe}
    return EncoderCard(
        name,
        PUBLISHED,
        summary,
        aliases=aliases,
        recipe=Recipe(weights=f"hub:{network.repo}", settings=json.dumps(settings, sort_keys=True), **sees),
        citation=citation,
        trained_um_per_px=trained_um_per_px,
        network=network,
    )
