"""``embed`` with an encoder object that no plugin provides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from spacrd_core.embedding.embed import Report, embed
from spacrd_core.plugins import Plugins
from spacrd_core.store.store import SpotStore


@dataclass(frozen=True)
class OneEncoder:
    """Stands in for all plugins and for their encoders: every name is that of one object."""

    encoder: Any

    @property
    def encoders(self) -> OneEncoder:
        return self

    def canonical(self, name: str) -> str:
        return name

    def create(self, name: str, options: object = None) -> Any:
        return self.encoder


def embed_with(store: SpotStore, name: str, encoder: Any, **choices: Any) -> Report:
    """Embed by an encoder object under a name."""
    return embed(store, name, plugins=cast("Plugins", OneEncoder(encoder)), **choices)
