"""The size of the files that ``detect -o`` and ``export`` write."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from spacrd_core.dry_run.rates import FILE, PICTURE, REPORT, REPORT_SPOT, SPOT_IN_FILE
from spacrd_core.store.remove import stored_counts_bytes

if TYPE_CHECKING:
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

WITH_COUNTS = ("h5ad", "spatialdata")
WITH_PICTURE = ("png",)
OF_EVERY_SECTION = ("csv", "geojson", "png", "genes", "h5ad")


class Called(NamedTuple):
    """A section whose calls are written: its spots, the bytes of its counts, and whether it has an image."""

    spots: int
    counts_bytes: int
    image: bool

    @classmethod
    def stored(cls, store: SpotStore, entry: SectionEntry) -> Self:
        """Return a section of a store."""
        return cls(entry.spots, stored_counts_bytes(store, entry), entry.slide is not None)

    def file_bytes(self, format_name: str) -> int:
        """Return the size of the file in a format; some hold the counts, as large as in the store, or the image."""
        size = FILE.get(format_name, 0) + SPOT_IN_FILE.get(format_name, 0.0) * self.spots
        size += self.counts_bytes if format_name in WITH_COUNTS else 0
        size += PICTURE if self.image and format_name in WITH_PICTURE else 0
        return round(size)

    @property
    def results_bytes(self) -> int:
        """The size of all files, and of the section's part of the report."""
        return round(sum(map(self.file_bytes, OF_EVERY_SECTION)) + REPORT + REPORT_SPOT * self.spots)
