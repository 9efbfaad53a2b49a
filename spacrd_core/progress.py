"""Progress reporting: the caller passes a function with the signature of ``rich.progress.track``."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")


class Track(Protocol):
    """Iterate over work and show its progress; ``total`` is the number of items if the iterable has no length."""

    def __call__(self, work: Iterable[Item], description: str, total: float | None = None) -> Iterable[Item]: ...


def within(track: Track, place: str) -> Track:
    """Return a track that prefixes every description with ``place``, such as a section id."""

    def prefixed(work: Iterable[Item], description: str, total: float | None = None) -> Iterable[Item]:
        return track(work, f"{place}: {description}", total)

    return prefixed


def silent(work: Iterable[Item], description: str, total: float | None = None) -> Iterable[Item]:  # noqa: ARG001 - the signature of Track
    """Return the work and show nothing."""
    return work


@contextmanager
def counted(track: Track, description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that any thread calls with a number of finished items; a track shows their sum."""
    counts: SimpleQueue[int | None] = SimpleQueue()

    def items() -> Iterator[None]:
        while (count := counts.get()) is not None:
            for _ in range(count):
                yield None

    display = Thread(target=lambda: deque(track(items(), description, total), maxlen=0), daemon=True)
    display.start()
    try:
        yield counts.put
    finally:
        counts.put(None)
        display.join()
