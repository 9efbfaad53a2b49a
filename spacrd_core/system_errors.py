"""Errors of the operating system, as sentences with a remedy: a full disk above all."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.errors import OutputError, SpacrdError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_LIMIT = "raise the limit on the size of files (ulimit -f), or name a place that takes larger ones"
REMEDIES = {
    errno.ENOSPC: "free some room, and run again",
    errno.EDQUOT: "free some room in your quota, and run again",
    errno.EFBIG: FILE_LIMIT,
    errno.EROFS: "name a place that you may write to",
}
NO_DESCRIPTORS = {
    errno.EMFILE: "raise the limit on open files (ulimit -n), and run again",
    errno.ENFILE: "close other programs, and run again",
}
NO_RIGHT = "name a place that you may write to"
BROKEN_DISK = "the disk may be broken: look at the messages of the system, and use another"
NO_FILES_LEFT = "remove some files, and run again: the file system has room for no more of them (df -i)"


@contextmanager
def explained(path: Path, *, always: bool = False) -> Iterator[None]:
    """Explain an error for want of room in the block, or with ``always`` any of the system, by what was written."""
    try:
        yield
    except OSError as error:
        if isinstance(error, SpacrdError) or error.errno is None or not (always or error.errno in REMEDIES):
            raise
        raise cannot_be_written(str(path), error, path) from error


def cannot_be_written(what: str, error: OSError, path: Path | None = None) -> OutputError:
    """Return the error for a file or folder that the system refuses to write; ``path`` is where it is."""
    number = error.errno or errno.EIO
    error_for_user: OutputError = OutputError(
        f"{what} cannot be written: {os.strerror(number)}", hint=_remedy(number, path)
    )
    return error_for_user


def explain(error: OSError) -> SpacrdError | None:
    """Return the sentence for a limit on open files, or for what only writing can cause; None for other errors."""
    if error.errno in NO_DESCRIPTORS:
        return SpacrdError(os.strerror(error.errno).lower(), hint=NO_DESCRIPTORS[error.errno])
    if error.errno not in REMEDIES:
        return None
    return cannot_be_written(str(error.filename or "a file"), error, Path(str(error.filename or ".")))


def _remedy(number: int, path: Path | None) -> str:
    if number == errno.ENOSPC and path and _has_no_files_left(path):
        return NO_FILES_LEFT
    return REMEDIES.get(number, BROKEN_DISK if number == errno.EIO else NO_RIGHT)


def _has_no_files_left(path: Path) -> bool:
    """Return whether the file system of a path, which may not exist yet, has no inodes left."""
    present = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    try:
        status = os.statvfs(present)
    except OSError:
        return False
    return bool(status.f_files) and not status.f_favail
