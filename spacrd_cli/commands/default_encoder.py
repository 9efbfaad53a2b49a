"""The encoder a command works with; where the default's weights are not to be had, what to do instead is told.

Nothing is chosen in its place: embeddings of another encoder are other numbers, under another licence.
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
def explaining_the_default(encoders: Registry[EncoderCard], asked: EncoderSettings) -> Iterator[None]:
    """Say how the default's weights are got, and which encoders need no access, where they are not to be had."""
    try:
        yield
    except WeightsError as error:
        if "name" not in asked.model_fields_set:
            for line in _ways(encoders.card(asked.name), encoders):
                error.add_note(line)
        raise


def _ways(card: EncoderCard, encoders: Registry[EncoderCard]) -> Iterator[str]:
    """Yield how the default's weights are got, then what works without them."""
    if card.network and card.recipe:
        page, file = f"https://huggingface.co/{card.network.repo}", card.network.files[0]
        gate = f"gated ({page}) and under {card.recipe.licence}" if card.recipe.gated else f"published at {page}"
        yield f"no encoder was named; {card.name} is the default, and its weights are {gate}. To get them:"
        yield "  1. request access on that page, then `hf auth login` or set HF_TOKEN, and run this again"
        yield f"  2. --weights FILE, with the {file} of somebody who has access"
        yield f"  3. `hf download {card.network.repo} {file}` where there is a network; HF_HUB_CACHE is that cache"
    without = [other.name for other in encoders if other.recipe and other.recipe.weights == "none"]
    yield f"or work without them: --encoder {' or '.join(without)} (needs no weights), or with open ones:"
    for licence, names in _open(encoders).items():
        yield f"  {licence}: {', '.join(names)}"


def _open(encoders: Registry[EncoderCard]) -> dict[str, list[str]]:
    """Return the encoders whose weights anybody may download, by licence."""
    found = defaultdict(list)
    for card in encoders:
        if card.recipe and not card.recipe.gated and card.recipe.weights != "none":
            found[card.recipe.licence].append(card.name)
    return dict(sorted(found.items()))
