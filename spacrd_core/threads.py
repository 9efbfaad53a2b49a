"""Work on parts of an image side by side: decoding and arithmetic on px let go of the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Part = TypeVar("Part")
Done = TypeVar("Done")
THREADS = min(os.cpu_count() or 1, 8)  # each holds a part in memory


def spread(work: Callable[[Part], Done], parts: Iterable[Part]) -> list[Done]:
    """Return the work done on every part, in the order of the parts."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))


def ahead(
    work: Callable[[Part], Done], parts: Iterable[Part], *, threads: int, most: int
) -> Generator[Done, None, None]:
    """Yield the work done on every part, in order; up to ``most`` are begun before they are asked for."""
    running: deque[Future[Done]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for part in parts:
            running.append(pool.submit(work, part))
            if len(running) > most:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def prefetched(items: Iterator[Done], *, most: int) -> Generator[Done, None, None]:
    """Yield items, of which a thread gets up to ``most`` while those before are used; None is the end of them."""
    with closing(ahead(lambda _: next(items, None), count(), threads=1, most=most)) as coming:
        for item in coming:
            if item is None:
                return
            yield item
