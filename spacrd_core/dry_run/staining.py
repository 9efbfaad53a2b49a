"""The staining features that a training or an evaluation makes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.dry_run.embed import plan_embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.prior.staining import staining

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.dry_run.plan import Plan
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def plan_staining(
    store: SpotStore,
    entries: Sequence[SectionEntry],
    options: TrainOptions,
    *,
    encoder: str,
    device: str,
    plugins: Plugins,
    elsewhere: bool,
) -> list[Plan]:
    """Return the plan of embedding sections that lack staining features; none if nothing is to be done."""
    encoding = staining(plugins) if encoder and options.prior.use else None
    missing = encoding.missing(entries) if encoding else []
    if encoding is None or not missing:
        return []
    return [
        plan_embed(
            store,
            encoding.encoder,
            options=encoding.options,
            sections=missing,
            settings=Settings(device=device),
            plugins=plugins,
            elsewhere=elsewhere,
        )
    ]
