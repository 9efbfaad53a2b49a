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

    Parts that go on side by side are counted in full each: ``read`` is what the reading threads did while the encoder
    worked, ``wait`` is how long there was nothing for the encoder to do.
    """

    def __init__(self, device: torch.device) -> None:
        self.notes: list[str] = []
        self._device = device
        self._counted: dict[str, float] = defaultdict(float)
        self._queued: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    def note(self, sentence: str) -> None:
        """Keep a sentence for the user, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds so far; what is queued on a CUDA device is waited for."""
        for name, begin, end in self._queued:
            end.synchronize()
            self._counted[name] += begin.elapsed_time(end) / 1000
        self._queued.clear()
        return dict(self._counted)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens inside."""
        started = time.perf_counter()
        yield
        self._counted[name] += time.perf_counter() - started

    @contextmanager
    def device_part(self, name: str) -> Iterator[None]:
        """Count what happens inside on the device: on CUDA it is only queued there, and not waited for."""
        if self._device.type != "cuda":
            with self.part(name):
                yield
            return
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record(torch.cuda.current_stream(self._device))
        yield
        end.record(torch.cuda.current_stream(self._device))
        self._queued.append((name, begin, end))

    def each(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """Iterate and count the time that getting the items takes."""
        iterator = iter(items)
        while True:
            with self.part(name):
                item = next(iterator, None)
            if item is None:
                return
            yield item
