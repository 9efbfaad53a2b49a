"""Lock files for unfinished work. The operating system releases them when the process that holds them ends.

The holder removes its lock file; filelock notices if a file that it was waiting for has been removed meanwhile.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from filelock import FileLock, Timeout

from spacrd_core.staging import REMOVED_MEANWHILE, paths_in

if TYPE_CHECKING:
    from collections.abc import Iterator
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
def mark_in_use(folder: Path) -> Iterator[Path]:
    """Protect unfinished work below a folder from garbage collection inside the block; yield the lock file."""
    file = folder / f"{IN_USE_PREFIX}{uuid4().hex}.lock"
    with _locked_in_folder(file):
        is_in_use(folder, apart_from=file)  # removes what killed processes have left
        yield file


def is_in_use(folder: Path, *, apart_from: Path | None = None) -> bool:
    """Return whether any process has marked a folder as in use, ``apart_from`` the one that holds this lock file."""
    return _any_locked(folder, f"{IN_USE_PREFIX}*.lock", apart_from=apart_from)


def any_piece_locked(folder: Path) -> bool:
    """Return whether any process has locked a piece of a folder."""
    return _any_locked(folder.parent, f"{folder.name}.*.lock")


def remove_stale_locks(folder: Path) -> None:
    """Remove the lock files in a folder that killed processes have left."""
    _any_locked(folder, "*.lock")


@contextmanager
def _locked_in_folder(file: Path) -> Iterator[None]:
    """Hold a lock in a folder that is created for it, and that another process may be removing because it is empty."""
    lock = FileLock(file)
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            break
        except REMOVED_MEANWHILE:
            if file.parent.is_file():
                raise
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        lock.release()


def _any_locked(folder: Path, names: str, *, apart_from: Path | None = None) -> bool:
    """Return whether any lock in a folder is held; remove the files that killed processes have left."""
    files = [file for file in paths_in(folder, names) if file != apart_from]
    locked = [file for file in files if _is_locked(file)]  # try every file, so that every stale one is removed
    return bool(locked)


def _is_locked(file: Path) -> bool:
    if file.is_symlink() or file.is_dir():
        return False
    try:
        with try_lock(file, wait=False) as acquired:
            return not acquired
    except REMOVED_MEANWHILE:
        return False
