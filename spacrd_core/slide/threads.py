"""Work on parts of an image side by side: decoding and arithmetic on px let go of the interpreter's lock."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Part = TypeVar("Part")
Done = TypeVar("Done")
THREADS = min(os.cpu_count() or 1, 8)  # each holds a part in memory


def spread(work: Callable[[Part], Done], parts: Iterable[Part]) -> list[Done]:
    """Return the work done on every part, in the order of the parts."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))
