"""The plan of ``spacrd embed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.dry_run.encoder_speed import embedding_time
from spacrd_core.dry_run.plan import Item, Plan, Space
from spacrd_core.dry_run.rates import FLOAT
from spacrd_core.embedding.embed import coarse_slides, jobs_of_part, make_request
from spacrd_core.executors.parts import Part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from spacrd_core.embedding.section_job import SectionJob
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.store import SpotStore


def plan_embed(  # noqa: PLR0913 - those of embed
    store: SpotStore,
    encoder: str,
    *,
    options: Mapping[str, Any] | None = None,
    sections: SectionNames = None,
    settings: Settings | None = None,
    part: Part | None = None,
    again: bool = False,
    plugins: Plugins | None = None,
    elsewhere: bool = False,
) -> Plan:
    """Return what :func:`spacrd_core.embedding.embed.embed` would do; errors are the same."""
    request = make_request(store, encoder, options, settings, again=again, plugins=plugins)
    entries = store.choose(sections)
    jobs = jobs_of_part(request, entries, part or Part())
    pending = {name: job.pending() for name, job in jobs.items()}
    items = [_item(job, pending[name]) for name, job in jobs.items()]
    items += [Item(entry.id, "not used", "no image") for entry in entries if entry.slide is None]
    warning = coarse_slides(jobs)
    patches = sum(len(rows) for ranges in pending.values() for rows in ranges)
    return Plan(
        step="embed",
        items=tuple(sorted(items, key=lambda item: item.section)),
        tasks=sum(map(len, pending.values())),
        unit="shards",
        space=(Space.below(store.path, sum(item.bytes for item in items)),),
        time=embedding_time(
            patches,
            request.encoder,
            request.options,
            request.recipe.key,
            request.settings,
            elsewhere=elsewhere,
        ),
        notes=(warning,) if warning else (),
    )


def embedding_bytes(spots: int, dim: int) -> int:
    """Return the size of the embeddings of spots, with the coverage of their patches."""
    return round(spots * (dim + 1) * FLOAT)


def _item(job: SectionJob, pending: list[range]) -> Item:
    patches = sum(map(len, pending))
    if not patches:
        return Item(job.entry.id, "done", "embedded before")
    done = sum(map(len, job.shards)) - patches
    note = f"{patches} patches" + (f"; {done} are done" if done else "")
    return Item(job.entry.id, "to do", note, embedding_bytes(patches, job.request.recipe.dim))
