"""Who is at work on unfinished things: locks that the system frees when their process ends, however it ends.

A lock file is removed by whoever held it; filelock notices when the file it waited for has gone meanwhile.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

AT_WORK = ".at-work-"


def lock_of(folder: Path, piece: str = "") -> Path:
    """Return the file that is locked while somebody works on a piece of a folder, or decides about all of it."""
    return folder.with_name(f"{folder.name}{piece and f'.{piece}'}.lock")


@contextmanager
def hold(file: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock while inside; false, and nothing held, where another has it and ``wait`` is not asked for."""
    lock = FileLock(file, timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        file.unlink(missing_ok=True)
        lock.release()


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Keep what is unfinished below a folder from being cleared away while inside."""
    folder.mkdir(parents=True, exist_ok=True)
    _held(folder.glob(f"{AT_WORK}*.lock"))
    with hold(folder / f"{AT_WORK}{uuid4().hex}.lock"):
        yield


def anyone_at_work(folder: Path) -> bool:
    """Return whether any process is at work below a folder."""
    return _held(folder.glob(f"{AT_WORK}*.lock"))


def any_piece_held(folder: Path) -> bool:
    """Return whether any process holds a piece of a folder."""
    return _held(folder.parent.glob(f"{folder.name}.*.lock"))


def _held(files: Iterable[Path]) -> bool:
    """Return whether any of these locks is held; those that nobody holds were left by killed processes and go."""
    held = [file for file in files if _is_held(file)]  # every one is tried, so that every one is cleared
    return bool(held)


def _is_held(file: Path) -> bool:
    with hold(file, wait=False) as mine:
        return not mine
