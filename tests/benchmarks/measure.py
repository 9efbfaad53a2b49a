"""Functions that the benchmarks share: timing of several functions in turns, and reporting of metrics."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture


def fastest(rounds: int, *functions: Callable[[], object]) -> list[float]:
    """Return the shortest time of each function in seconds; the functions run in turns."""
    return _least(time.perf_counter, rounds, functions)


def cpu_seconds(rounds: int, *functions: Callable[[], object]) -> list[float]:
    """Return the least processor time of each function in seconds; the functions run in turns."""
    return _least(time.process_time, rounds, functions)


def show(benchmark: BenchmarkFixture, title: str, metrics: dict[str, float]) -> None:
    """Store the metrics with the benchmark and print them."""
    benchmark.extra_info.update(metrics)
    print(f"\n{title}: " + ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))  # noqa: T201 - benchmarks print their results


def _least(clock: Callable[[], float], rounds: int, functions: Sequence[Callable[[], object]]) -> list[float]:
    times: list[list[float]] = []
    for _ in range(rounds):
        times.append([])
        for function in functions:
            started = clock()
            function()
            times[-1].append(clock() - started)
    return np.min(times, axis=0).tolist()
