"""The plan of ``spacrd export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.dry_run.plan import Duration, Item, Plan, Space
from spacrd_core.dry_run.rates import EXPORT_SECTION, MEASURED
from spacrd_core.dry_run.result_files import Called
from spacrd_core.results.ownership import require_replaceable
from spacrd_core.results.section_task import stored_result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.errors import InputError
    from spacrd_core.results.files.formats import Format
    from spacrd_core.store.store import SpotStore


def plan_export(
    store: SpotStore, sections: Sequence[str], form: Format, output: Path, *, detector: str
) -> tuple[Plan, list[InputError]]:
    """Return what :func:`spacrd_core.results.export.export_calls` would do, and why sections would have no file."""
    require_replaceable(output, sections, detector=detector, form=form)
    reasons = {section: form.unsupported_reason(stored_result(store, section, detector)[2]) for section in sections}
    written = [store.entry(section) for section, reason in reasons.items() if reason is None]
    sizes = [Called.stored(store, entry).file_bytes(form.name) for entry in written]
    items = [
        Item(entry.id, "to do", form.path(output, entry.id).name, size)
        for entry, size in zip(written, sizes, strict=True)
    ]
    plan = Plan(
        step="export",
        items=tuple(items),
        tasks=len(items),
        unit="sections",
        space=(Space.below(output, sum(item.bytes for item in items)),),
        time=Duration.total([Duration(EXPORT_SECTION * len(items), MEASURED)]),
    )
    return plan, [reason for reason in reasons.values() if reason]
