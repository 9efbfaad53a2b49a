"""The size of the files that ``detect -o`` and ``export`` write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.dry_run.rates import FILE, REPORT, REPORT_SPOT, SPOT_IN_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

WITH_COUNTS = ("h5ad", "spatialdata")
OF_EVERY_SECTION = ("csv", "geojson", "png", "genes", "h5ad")


def file_bytes(format_name: str, spots: int, counts_bytes: int) -> int:
    """Return the size of a section's file in a format; some hold the counts, as large as in the store."""
    size = FILE.get(format_name, 0) + SPOT_IN_FILE.get(format_name, 0.0) * spots
    return round(size + (counts_bytes if format_name in WITH_COUNTS else 0))


def results_bytes(sections: Iterable[tuple[SpotStore, SectionEntry]]) -> int:
    """Return the size of all files of sections, with the report."""
    return sum(results_of(entry.spots, counts_bytes(store, entry)) for store, entry in sections)


def results_of(spots: int, counts: int) -> int:
    """Return the size of all files of a section, and of its part of the report."""
    files = sum(file_bytes(name, spots, counts) for name in OF_EVERY_SECTION)
    return round(files + REPORT + REPORT_SPOT * spots)


def counts_bytes(store: SpotStore, entry: SectionEntry) -> int:
    """Return the size of a section's counts and spots in the store."""
    return sum(file.stat().st_size for file in (store.path / entry.section.path).rglob("*") if file.is_file())
