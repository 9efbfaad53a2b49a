"""Where the time of a run goes, and what happened on the way."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Item = TypeVar("Item")


class Clock:
    """Seconds by part of the work, and ``notes``: sentences for the user.

    What is queued on a CUDA device is waited for, or the next part would pay for it.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.notes: list[str] = []
        self._device = device

    def note(self, sentence: str) -> None:
        """Keep a sentence for the user, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens inside."""
        started = time.perf_counter()
        yield
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self.seconds[name] += time.perf_counter() - started

    def each(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """Iterate and count the time that getting the items takes."""
        iterator = iter(items)
        while True:
            with self.part(name):
                item = next(iterator, None)
            if item is None:
                return
            yield item
