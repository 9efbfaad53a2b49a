"""Links in a store: nothing is reached through one, so that a store from a stranger cannot lead outside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 200  # of folders; what SpaCRD writes is far from it
HINT = (
    "put the files themselves in its place, or remove the link; a store may be a link to another disk only as a whole"
)


def link_on_the_way(root: Path, path: Path) -> Path | None:
    """Return the first link on the way from a store's folder to a path in it, which may be the path; None without one.

    The store's folder itself may be a link.
    """
    inner = path.relative_to(root)
    on_the_way = [root / parent for parent in reversed(inner.parents)][1:]
    return next((each for each in (*on_the_way, path) if each.is_symlink()), None)


def require_no_link(root: Path, path: Path) -> Path:
    """Return a path in a store.

    Raises
    ------
    StoreError
        If it is a link, or in a folder that is one.
    """
    if link := link_on_the_way(root, path):
        raise StoreError(f"{link} is a link, and a store must not contain links", hint=HINT)
    return path


def require_no_links_below(folder: Path) -> None:
    """Refuse a folder of a store that contains a link.

    Raises
    ------
    StoreError
        With the first link.
    """
    if link := link_below(folder):
        raise StoreError(f"{link} is a link, and a store must not contain links", hint=HINT)


def link_below(folder: Path) -> Path | None:
    """Return the first link below a folder, or None."""
    return next((Path(entry.path) for entry in entries_below(folder) if entry.is_symlink()), None)


def entries_below(folder: Path, *, in_use: bool = False, depth: int = 0) -> Iterator[os.DirEntry[str]]:
    """Yield everything below a folder, a folder before its contents, in a fixed order; links are not followed.

    With ``in_use``, other processes may move and remove folders meanwhile: those that are gone are passed over.
    ``depth`` is that of the folder.

    Raises
    ------
    StoreError
        If folders are nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise StoreError(f"{folder} is nested deeper than {MAX_DEPTH} folders", hint="move it out of the store")
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except FileNotFoundError:
        if in_use:
            return
        raise
    for entry in entries:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from entries_below(Path(entry.path), in_use=in_use, depth=depth + 1)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder that are not links, in a fixed order; none if it is a link or not there."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as scan:
            return sorted(Path(entry.path) for entry in scan if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:  # it was empty, and another process has just removed it
        return []
