"""The plan of ``spacrd call``: sections are read and checked, then called in a store that does not exist yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.dry_run.detect import calling_time, calls_bytes, encodings_read
from spacrd_core.dry_run.embed import embedding_bytes
from spacrd_core.dry_run.encoder_speed import embedding_time
from spacrd_core.dry_run.plan import Duration, Item, Plan, Space
from spacrd_core.dry_run.result_files import Called
from spacrd_core.embedding.settings import Settings
from spacrd_core.results.ownership import require_replaceable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.dry_run.ingest import Foreseen
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.store import SpotStore


def plan_call(  # noqa: PLR0913 - what ingest and detect need
    store: SpotStore,
    ingestion: Plan,
    foreseen: Sequence[Foreseen],
    detector: DetectorConfig,
    *,
    output: Path,
    device: str,
    plugins: Plugins,
    elsewhere: bool = False,
) -> Plan:
    """Return the plan of ingesting and calling sections; it may count embeddings that a kept store has already."""
    require_replaceable(output, [each.section for each in foreseen], detector=detector.key)
    settings, encodings = Settings(device=device), encodings_read(store, detector, (), plugins)
    patches = sum(each.spots for each in foreseen if each.image)
    dims = [plugins.encoders.create(each.encoder, each.options).recipe.dim for each in encodings]
    called = [Called(each.spots, each.counts_bytes, each.image) for each in foreseen]
    items = []
    for each in foreseen:
        embedded = sum(embedding_bytes(each.spots, dim) for dim in dims) if each.image else 0
        items.append(Item(each.section, "to do", each.facts, each.bytes + embedded + calls_bytes(each.spots)))
    return Plan(
        step="call",
        items=tuple(items),
        tasks=len(items),
        unit="sections",
        space=(
            Space.below(store.path, sum(item.bytes for item in items)),
            Space.below(output, sum(each.results_bytes for each in called)),
        ),
        time=Duration.total(
            [
                ingestion.time,
                *(
                    embedding_time(patches, each.encoder, each.options, each.recipe_key, settings, elsewhere=elsewhere)
                    for each in encodings
                ),
                calling_time([each.spots for each in foreseen], files=True),
            ]
        ),
    )
