"""What the store has of a capture area: the part that is replaced, and sections with the same spots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def known_part(store: SpotStore, area: str, section: str) -> SectionEntry | None:
    """Return a part as the store has it, or else what was given for another part of its capture area."""
    if entry := store.entries.get(section):
        return entry
    others = (entry for entry in store.entries.values() if entry.given.get("region") and _capture_area(entry) == area)
    other = next(others, None)
    if other is None:
        return None
    given = {key: value for key, value in other.given.items() if key != "patient"}
    return other.model_copy(update={"given": given})


def same_spots(store: SpotStore, area: str, sections: Collection[str]) -> Iterator[str]:
    """Yield a sentence if the store has other sections of a capture area than the ones that were just ingested."""
    of_area = [entry for entry in store.entries.values() if _capture_area(entry) == area]
    others = [entry.id for entry in of_area if entry.id not in sections]
    if others and any(entry.given.get("region") for entry in of_area):
        yield (
            f"the store also has {listed(others)} of the same capture area, so training would use the same spots "
            f"twice: spacrd store rm {store.path} {' '.join(others)}"
        )


def _capture_area(entry: SectionEntry) -> str:
    """Return the name of the capture area that a section is, or is a part of."""
    return str(entry.given.get("name", entry.id))
