"""What the benchmarks share: times taken in turns, and facts shown and kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture


def fastest(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Return the shortest time of each, all done in turns."""
    times: list[list[float]] = []
    for _ in range(rounds):
        times.append([])
        for work in works:
            begun = time.perf_counter()
            work()
            times[-1].append(time.perf_counter() - begun)
    return np.min(times, axis=0).tolist()


def show(benchmark: BenchmarkFixture, what: str, facts: dict[str, float]) -> None:
    benchmark.extra_info.update(facts)
    print(f"\n{what}: " + ", ".join(f"{name} {value:.4g}" for name, value in facts.items()))  # noqa: T201 - asked for
