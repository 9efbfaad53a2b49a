"""The staining features that the image's evidence is read from, made for sections that lack them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.embedding.missing import Encoding, embed_missing
from spacrd_core.errors import UnknownName
from spacrd_core.prior.image import ENCODER, ENCODER_OPTIONS, image_recipe_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.executors.pool import Executor
    from spacrd_core.plugins import Plugins
    from spacrd_core.progress import Track
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def embed_staining(
    store: SpotStore,
    entries: Sequence[SectionEntry],
    *,
    device: str,
    plugins: Plugins,
    track: Track,
    executor: Executor | None = None,
) -> str:
    """Return the recipe key of the staining features, after making them for sections that have an image.

    '' if the encoder is not installed; there is no evidence from images then.
    """
    encoding = staining(plugins)
    if encoding is None:
        return ""
    embed_missing(
        store, entries, encoding, device=device, plugins=plugins, track=track, latest=False, executor=executor
    )
    return encoding.recipe_key


def staining(plugins: Plugins) -> Encoding | None:
    """Return the encoder of the staining features; None if it is not installed."""
    try:
        return Encoding(ENCODER, ENCODER_OPTIONS, image_recipe_key(plugins.encoders))
    except UnknownName:
        return None
