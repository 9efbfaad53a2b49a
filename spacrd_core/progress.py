"""One way to report progress: a function shaped like ``rich.progress.track``, given by the caller."""

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


@contextmanager
def counted(track: Track, description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that hears how many items were done, from any thread, and show them by a track."""
    heard: SimpleQueue[int | None] = SimpleQueue()

    def items() -> Iterator[None]:
        while (count := heard.get()) is not None:
            for _ in range(count):
                yield None

    shown = Thread(target=lambda: deque(track(items(), description, total), maxlen=0), daemon=True)
    shown.start()
    try:
        yield heard.put
    finally:
        heard.put(None)
        shown.join()
