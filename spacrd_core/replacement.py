"""Replace a file or a whole folder: readers, and whoever looks after a crash, find the old one or the new one whole.

The new folder is filled beside the old one and exchanged with it in one step (``renameat2`` of Linux). Where the file
system cannot exchange, the old one is renamed first; if the process is killed before the second rename, the next
reader or writer renames it back (:func:`restore_folder`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from spacrd_core.staging import abandoned, staging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Read = TypeVar("Read")

AT_FDCWD, RENAME_EXCHANGE = -100, 2
CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
IN_THE_WAY = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
CHANGED = {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}
MAX_READS = 20


def real(path: Path) -> Path:
    """Return a path with its links followed, also if they lead nowhere or in circles."""
    return Path(os.path.realpath(path))


def sync(path: Path) -> None:
    """Write a file or folder through to disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_folder(folder: Path, contents: Mapping[str, bytes], *, read: str = "") -> bytes:
    """Write files into a new folder and put it in the place of ``folder``; what a killed process left is removed.

    Return the content of the file ``read`` in the folder that was replaced; nothing if there was none. A link stays,
    and the folder that it leads to is replaced.
    """
    folder = real(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    restore_folder(folder)
    with staging(folder.parent) as aside:
        staged = aside / folder.name / "new"
        staged.mkdir(parents=True)
        for name, content in contents.items():
            (staged / name).write_bytes(content)
            sync(staged / name)
        sync(staged)
        move_into_place(staged, folder)
        _discard_remains(folder, aside)
        return (staged / read).read_bytes() if read and (staged / read).is_file() else b""


def replace_text(file: Path, text: str) -> None:
    """Write a text file in UTF-8 as :func:`replace_file` does."""
    replace_file(file, text.encode())


def replace_file(file: Path, content: bytes) -> None:
    """Write a file beside its place and move it there; a link stays, and what it leads to is replaced."""
    file = real(file)
    with staging(file.parent) as aside:
        staged = aside / file.name
        staged.write_bytes(content)
        sync(staged)
        move_into_place(staged, file)


def move_into_place(staged: Path, final: Path) -> None:
    """Move a file or folder to its place. What was there is then at ``staged``, unless a file replaced a file."""
    while not _moved(staged, final):
        pass  # another process is replacing it, too
    sync(final.parent)


def restore_folder(folder: Path) -> None:
    """Restore a folder after the process ended during its replacement."""
    folder = real(folder)
    if _backup_of(folder).exists() and not folder.exists():
        with suppress(OSError), locked(folder):  # a reader may have no right to write
            _restore(folder)


def was_interrupted(folder: Path) -> bool:
    """Return whether a process was killed while it replaced this folder."""
    folder = real(folder)
    return _backup_of(folder).is_dir() or any((aside / folder.name).is_dir() for aside in abandoned(folder.parent))


def read_whole(folder: Path, read: Callable[[], Read]) -> Read:
    """Return what ``read`` returns of a folder's files; it is called again if the folder was replaced meanwhile."""
    for _ in range(MAX_READS):
        restore_folder(folder)
        before = _identity(folder)
        try:
            result = read()
        except (OSError, ValueError):  # an error about a detector is one of them
            is_between_steps = _backup_of(real(folder)).exists()
            if not is_between_steps and _identity(folder) == before:
                raise
            continue
        if _identity(folder) == before:
            return result
    return read()


def _identity(folder: Path) -> tuple[int, int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _moved(staged: Path, final: Path) -> bool:
    """Try to move a file or folder to its place; return false if that changed meanwhile."""
    try:
        staged.replace(final)  # a file, or a folder where there is none
    except OSError as error:
        if error.errno not in IN_THE_WAY:
            raise
    else:
        return True
    try:
        if not _exchange(staged, final):
            _exchange_in_steps(staged, final)
    except OSError as error:
        if error.errno not in CHANGED or not staged.exists():
            raise
        return False
    return True


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two files or folders in one step; return false where the system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if renameat2(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(second))


def _exchange_in_steps(staged: Path, final: Path) -> None:
    """Exchange a folder in several steps, of which the first leaves a backup that :func:`restore_folder` finds."""
    backup = _backup_of(final)
    with locked(final):
        _restore(final)
        _discard(backup, staged.parent)
        final.rename(backup)
        try:
            staged.rename(final)
        finally:
            _restore(final)
        backup.rename(staged)


def _restore(folder: Path) -> None:
    backup = _backup_of(folder)
    if backup.exists() and not folder.exists():
        backup.rename(folder)


def _discard_remains(folder: Path, aside: Path) -> None:
    """Move what earlier replacements left beside a folder into a temporary folder, which will be removed."""
    unfinished = re.compile(rf"\.{re.escape(folder.name)}\.tmp-[0-9a-f]{{32}}")  # by earlier versions
    if _backup_of(folder).exists():
        with locked(folder):
            _discard(_backup_of(folder), aside)
    for path in folder.parent.iterdir():
        if unfinished.fullmatch(path.name) and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _discard(path: Path, aside: Path) -> None:
    """Move a file or folder, if it exists, into a temporary folder."""
    with suppress(FileNotFoundError):
        path.rename(aside / uuid4().hex)


def _backup_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock on the steps of a replacement inside the block; its file is removed in the end."""
    from filelock import FileLock  # noqa: PLC0415 - this module is imported by every command

    file = folder.with_name(f".{folder.name}.lock")
    with FileLock(file):
        try:
            yield
        finally:
            file.unlink(missing_ok=True)
