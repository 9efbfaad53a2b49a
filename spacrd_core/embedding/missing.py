"""Embed the sections that lack the embeddings of a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.executors.pool import Executor
    from spacrd_core.plugins import Plugins
    from spacrd_core.progress import Track
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


@dataclass(frozen=True)
class Encoding:
    """An encoder by name, its options, and the key of the recipe that they give."""

    encoder: str
    options: Mapping[str, Any]
    recipe_key: str

    def missing(self, entries: Sequence[SectionEntry]) -> list[str]:
        """Return the sections that have an image but no such embeddings."""
        return [entry.id for entry in entries if entry.slide and self.recipe_key not in entry.embeddings]


def embed_missing(  # noqa: PLR0913 - those of embed
    store: SpotStore,
    entries: Sequence[SectionEntry],
    encoding: Encoding,
    *,
    device: str,
    plugins: Plugins,
    track: Track,
    latest: bool = True,
    executor: Executor | None = None,
) -> None:
    """Embed the sections that have an image but no embeddings of the encoding.

    ``latest=False`` keeps earlier embeddings by the same encoder the ones that its name alone selects.
    """
    if missing := encoding.missing(entries):
        settings = Settings(device=device)
        embed(
            store,
            encoding.encoder,
            options=encoding.options,
            sections=missing,
            settings=settings,
            executor=executor,
            latest=latest,
            plugins=plugins,
            track=track,
        )
