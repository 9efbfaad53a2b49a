"""Functions that the benchmarks share: timing of several functions in turns, and reporting of metrics."""

import time
from collections.abc import Callable

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture


def fastest(rounds: int, *functions: Callable[[], object]) -> list[float]:
    """Return the shortest time of each function in seconds; the functions run in turns."""
    times: list[list[float]] = []
    for _ in range(rounds):
        times.append([])
        for function in functions:
            started = time.perf_counter()
            function()
            times[-1].append(time.perf_counter() - started)
    return np.min(times, axis=0).tolist()


def show(benchmark: BenchmarkFixture, title: str, metrics: dict[str, float]) -> None:
    """Store the metrics with the benchmark and print them."""
    benchmark.extra_info.update(metrics)
    print(f"\n{title}: " + ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))  # noqa: T201 - benchmarks print their results
