"""Seconds by step of a run, and notes about what happened in it."""

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
    """Seconds by step, and ``notes``: sentences for the user.

    Steps that run at the same time are counted in full: ``read`` is the time of the reading threads while the encoder
    works, ``wait`` is the time for which the encoder has nothing to do.
    """

    def __init__(self, device: torch.device) -> None:
        self.notes: list[str] = []
        self._device = device
        self._seconds: dict[str, float] = defaultdict(float)
        self._queued: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    def note(self, sentence: str) -> None:
        """Add a sentence for the user, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds so far; waits for what is queued on a CUDA device."""
        for step, begin, end in self._queued:
            end.synchronize()
            self._seconds[step] += begin.elapsed_time(end) / 1000
        self._queued.clear()
        return dict(self._seconds)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Measure the block."""
        started = time.perf_counter()
        yield
        self._seconds[step] += time.perf_counter() - started

    @contextmanager
    def measure_on_device(self, step: str) -> Iterator[None]:
        """Measure the block on the device. On CUDA its work is only queued, and nothing waits for it."""
        if self._device.type != "cuda":
            with self.measure(step):
                yield
            return
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record(torch.cuda.current_stream(self._device))
        yield
        end.record(torch.cuda.current_stream(self._device))
        self._queued.append((step, begin, end))

    def measure_each(self, step: str, items: Iterable[Item]) -> Iterator[Item]:
        """Iterate and measure the time that it takes to get the items."""
        iterator = iter(items)
        while True:
            with self.measure(step):
                item = next(iterator, None)
            if item is None:
                return
            yield item
