"""A store as a notebook shows it: a table of its sections."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.manifest import SectionEntry

MAX_ROWS = 50


def table_html(store: StoreFolder) -> str:
    """Return the path of a store and its sections as HTML; of more than 50, the first."""
    import pandas as pd  # noqa: PLC0415 - commands that need only the manifest load nothing heavy

    entries = [*store.entries.values()]
    title = f"<p>Spot store <code>{escape(str(store.path))}</code>, {len(entries)} sections</p>"
    if not entries:
        return title
    table = pd.DataFrame(map(_row, entries[:MAX_ROWS])).to_html(index=False, border=0, justify="left")
    more = f"<p>and {len(entries) - MAX_ROWS} more</p>" if len(entries) > MAX_ROWS else ""
    return f"{title}{table}{more}"


def _row(entry: SectionEntry) -> dict[str, Any]:
    return {
        "section": entry.id,
        "patient": entry.patient,
        "platform": entry.platform,
        "spots": entry.spots,
        "genes": entry.genes,
        "labelled": entry.labelled,
        "cancer": entry.cancer,
        "image": "yes" if entry.slide else "no",
        "embeddings": ", ".join(dict.fromkeys(record.encoder for record in entry.embeddings.values())),
        "called by": ", ".join(entry.predictions),
    }
