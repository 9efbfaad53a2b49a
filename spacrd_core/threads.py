"""Thread pools for work on parts of an image: decoding and arithmetic on px release the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Part = TypeVar("Part")
Result = TypeVar("Result")
MAX_THREADS = min(os.cpu_count() or 1, 8)  # each thread holds a part in memory

_limit = MAX_THREADS


def limit_threads(threads: int) -> None:
    """Limit the threads of this process, which shares the machine with others; the results do not depend on it."""
    global _limit  # noqa: PLW0603 - a property of the process
    _limit = min(threads, MAX_THREADS)


def parallel_map(work: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
    """Return the result of ``work`` for every part, in the order of the parts."""
    with ThreadPoolExecutor(_limit) as pool:
        return list(pool.map(work, parts))


@contextmanager
def beside(work: Callable[[Part], object], parts: Iterable[Part]) -> Iterator[None]:
    """Do ``work`` for every part in threads beside the block; before it if this process is limited to one thread."""
    if _limit == 1:
        for part in parts:
            work(part)
        yield
        return
    with ThreadPoolExecutor(_limit - 1) as pool:  # the block has a thread, too
        running = [pool.submit(work, part) for part in parts]
        yield
        for done in running:
            done.result()


def prefetch(
    work: Callable[[Part], Result], parts: Iterable[Part], *, threads: int, max_ahead: int
) -> Generator[Result, None, None]:
    """Yield the result of ``work`` for every part, in order; up to ``max_ahead`` parts are started in advance."""
    running: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for part in parts:
            running.append(pool.submit(work, part))
            if len(running) > max_ahead:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def prefetch_items(items: Iterator[Result], *, max_ahead: int) -> Generator[Result, None, None]:
    """Yield items while a thread fetches up to ``max_ahead`` further ones; the items must not be None."""
    with closing(prefetch(lambda _: next(items, None), count(), threads=1, max_ahead=max_ahead)) as fetched:
        for item in fetched:
            if item is None:
                return
            yield item
