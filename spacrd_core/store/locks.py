"""Lock files for unfinished work. The operating system releases them when the process that holds them ends.

The holder removes its lock file; filelock notices if a file that it was waiting for has been removed meanwhile.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

IN_USE_PREFIX = ".in-use-"


def lock_file(folder: Path, piece: str = "") -> Path:
    """Return the lock file for work on one piece of a folder, or for a decision about the whole folder."""
    return folder.with_name(f"{folder.name}{piece and f'.{piece}'}.lock")


@contextmanager
def try_lock(file: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock inside the block; without ``wait``, yield false if another process holds it."""
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
def mark_in_use(folder: Path) -> Iterator[None]:
    """Protect unfinished work below a folder from garbage collection inside the block."""
    folder.mkdir(parents=True, exist_ok=True)
    _any_locked(folder.glob(f"{IN_USE_PREFIX}*.lock"))
    with try_lock(folder / f"{IN_USE_PREFIX}{uuid4().hex}.lock"):
        yield


def is_in_use(folder: Path) -> bool:
    """Return whether any process has marked a folder as in use."""
    return _any_locked(folder.glob(f"{IN_USE_PREFIX}*.lock"))


def any_piece_locked(folder: Path) -> bool:
    """Return whether any process has locked a piece of a folder."""
    return _any_locked(folder.parent.glob(f"{folder.name}.*.lock"))


def _any_locked(files: Iterable[Path]) -> bool:
    """Return whether any of these locks is held; remove the files that killed processes have left."""
    locked = [file for file in files if _is_locked(file)]  # try every file, so that every stale one is removed
    return bool(locked)


def _is_locked(file: Path) -> bool:
    with try_lock(file, wait=False) as acquired:
        return not acquired
