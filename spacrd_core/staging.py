"""Temporary folders beside what they will replace.

Each is locked while its process works. The operating system releases the lock when the process ends, however it ends,
so that a later process can tell unfinished work from abandoned work, and removes the latter.
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filelock import BaseFileLock

PREFIX, LOCK = ".spacrd-", ".lock"
NAME = re.compile(rf"{re.escape(PREFIX)}[a-z0-9_]{{8}}")  # as tempfile names them
REMOVED_MEANWHILE = (FileNotFoundError, FileExistsError)  # the folder of a lock: before filelock looked, or as it did


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """Yield a new folder to fill and to move files from; remove it at the end, and those of killed processes before."""
    remove_abandoned(parent)
    folder, lock = _new(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def staged_files(folder: Path) -> list[Path]:
    """Return what a temporary folder was filled with."""
    return sorted(path for path in folder.iterdir() if path.name != LOCK)


def paths_in(folder: Path, names: str = "*") -> list[Path]:
    """Return the paths in a folder that match a pattern; none of a folder that another process is removing."""
    try:
        return sorted(folder.glob(names))
    except FileNotFoundError:
        return []


def abandoned(parent: Path) -> Iterator[Path]:
    """Yield the temporary folders of processes that were killed; each is locked while it is looked at."""
    for folder in paths_in(parent, f"{PREFIX}*"):
        if not NAME.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
            continue
        lock = _lock(folder)
        try:
            lock.acquire()
        except OSError:  # in use (filelock's Timeout is one), another user's, or gone meanwhile
            continue
        try:
            yield folder
        finally:
            lock.release()


def remove_abandoned(parent: Path) -> None:
    """Remove the temporary folders of processes that were killed."""
    for folder in abandoned(parent):
        shutil.rmtree(folder, ignore_errors=True)


def _new(parent: Path) -> tuple[Path, BaseFileLock]:
    while True:
        folder = Path(mkdtemp(prefix=PREFIX, dir=parent))
        lock = _lock(folder)
        try:
            lock.acquire()
        except (TimeoutError, *REMOVED_MEANWHILE):  # another process took it for abandoned before it was locked
            continue
        except OSError:  # there is no room for the lock
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if (folder / LOCK).exists():
            return folder, lock
        lock.release()


def _lock(folder: Path) -> BaseFileLock:
    from filelock import FileLock  # noqa: PLC0415 - this module is imported by every command

    return FileLock(folder / LOCK, timeout=0)
