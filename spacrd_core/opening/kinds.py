"""Refuse pipes, sockets and devices by their kind before they are opened: opening a pipe waits for its writer."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError, SpacrdError

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
FILE_HINT = "write its content to a file, and give that file"


def refuse_special(path: Path, error: type[SpacrdError] = InputError) -> None:
    """Refuse what is neither a file nor a folder, or has a name that no record can hold; one that is missing passes.

    Raises
    ------
    SpacrdError
        Of the type ``error``.
    """
    try:
        str(path).encode()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except UnicodeEncodeError as cause:
        raise error(f"the path {ascii(str(path))[:160]} is not text in UTF-8", hint="rename it") from cause
    except OSError as cause:
        kind = "the symbolic link " if path.is_symlink() else ""
        hint = "check the path, or copy the file itself"
        raise error(f"{kind}{path} cannot be followed: {cause.strerror}", hint=hint) from cause
    except ValueError as cause:  # a NUL in the path
        raise error(f"the path {str(path)[:80]!r} is not valid: {cause}", hint="check the path") from cause
    if special := KINDS.get(stat.S_IFMT(mode)):
        raise error(f"{path} is {special}, not a file", hint=FILE_HINT)


def refuse_special_below(folder: Path, error: type[SpacrdError] = InputError) -> None:
    """Refuse a folder that holds a pipe, a socket, a device, or a link to a folder that it is in.

    Libraries open all files of such a folder by themselves.
    """
    folders = [os.fspath(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif not entry.is_file():
                    path = folder / entry.path
                    refuse_special(path, error)
                    if path.parent.resolve().is_relative_to(path.resolve()):
                        raise error(f"{path} is a link to a folder that it is in", hint="remove the link")
