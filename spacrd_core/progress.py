"""One way to report progress: a function shaped like ``rich.progress.track``, given by the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

Item = TypeVar("Item")


class Track(Protocol):
    """Iterate over work and show how far it is; ``total`` counts items when the iterable has no length."""

    def __call__(self, work: Iterable[Item], description: str, total: float | None = None) -> Iterable[Item]: ...


def within(track: Track, place: str) -> Track:
    """Return a track that says of all work where it is."""

    def located(work: Iterable[Item], description: str, total: float | None = None) -> Iterable[Item]:
        return track(work, f"{place}: {description}", total)

    return located


def silent(work: Iterable[Item], description: str, total: float | None = None) -> Iterable[Item]:  # noqa: ARG001 - the shape of Track
    """Iterate and show nothing."""
    return work
