"""Suggestions for a user without access to the weights of the default encoder.

No other encoder is chosen automatically: its embeddings would differ, and so would its licence.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spacrd_core.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_cli.settings import EncoderSettings
    from spacrd_core.cards import EncoderCard
    from spacrd_core.plugins import Registry


@contextmanager
def suggest_encoders(encoders: Registry[EncoderCard], settings: EncoderSettings) -> Iterator[None]:
    """Add suggestions to an error about the default encoder's weights: how to get them, and which encoders are open."""
    try:
        yield
    except WeightsError as error:
        if "name" not in settings.model_fields_set:
            for line in _suggestions(encoders.card(settings.name), encoders):
                error.add_note(line)
        raise


def _suggestions(card: EncoderCard, encoders: Registry[EncoderCard]) -> Iterator[str]:
    """Yield how to get the default encoder's weights, then which encoders work without them."""
    if card.network and card.recipe:
        page, file = f"https://huggingface.co/{card.network.repo}", card.network.files[0]
        gate = f"gated ({page}) and under {card.recipe.licence}" if card.recipe.gated else f"published at {page}"
        yield f"no encoder was named; {card.name} is the default, and its weights are {gate}. To get them:"
        yield "  1. request access on that page, run `hf auth login` or set HF_TOKEN, and repeat this command"
        yield f"  2. or pass --weights FILE with a copy of {file}"
        yield f"  3. or run `hf download {card.network.repo} {file}` with a network, and set HF_HUB_CACHE to that cache"
    without = [item.name for item in encoders if item.recipe and item.recipe.weights == "none"]
    yield f"or use an encoder without weights: --encoder {' or '.join(without)}; or one with open weights:"
    if robust := list(_robust_encoders(encoders)):
        yield f"  robust to scanner and staining: {', '.join(robust)}"
    for licence, names in _open_encoders(encoders).items():
        yield f"  {licence}: {', '.join(names)}"


def _robust_encoders(encoders: Registry[EncoderCard]) -> Iterator[str]:
    """Yield the names and licences of networks that are not gated and robust to scanners; those of cards first."""
    for card in sorted(encoders, key=lambda card: card.family):
        if card.recipe is None or not card.recipe.gated:
            licence = card.recipe.licence if card.recipe else "licence unknown"
            yield from (f"{name} ({licence})" for name in card.robust)


def _open_encoders(encoders: Registry[EncoderCard]) -> dict[str, list[str]]:
    """Return the other encoders whose weights are not gated, by licence."""
    names = defaultdict(list)
    for card in encoders:
        if card.recipe and not card.recipe.gated and card.recipe.weights != "none" and not card.robust:
            names[card.recipe.licence].append(card.name)
    return dict(sorted(names.items()))
