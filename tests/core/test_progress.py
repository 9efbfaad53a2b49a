from collections.abc import Iterable
from threading import Thread
from typing import Any

import pytest

from spacrd_core.progress import counted


class Seen:
    """A track that records what it shows."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, float | None, int]] = []

    def __call__(self, work: Iterable[Any], description: str, total: float | None = None) -> Iterable[Any]:
        items = list(work)
        self.shown.append((description, total, len(items)))
        return items


def test_what_is_counted_from_any_thread_is_shown() -> None:
    seen = Seen()
    with counted(seen, "embedding", 10) as count:
        count(3)
        other = Thread(target=count, args=(7,))
        other.start()
        other.join()
    assert seen.shown == [("embedding", 10, 10)]


def interrupted(seen: Seen) -> None:
    with counted(seen, "embedding", 10) as count:
        count(3)
        raise KeyboardInterrupt


def test_an_interrupt_ends_the_showing_and_goes_on() -> None:
    seen = Seen()
    with pytest.raises(KeyboardInterrupt):
        interrupted(seen)
    assert seen.shown == [("embedding", 10, 3)]
