"""The layout of a group: the names and sizes of its files, and its metadata.

Every chunk has a checksum, but a chunk that is missing reads as background, and metadata have none. The manifest has
one for the layout. It is verified when a group is opened, without reading the chunks.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from spacrd_core.errors import CorruptStore
from spacrd_core.files import FILE_MANAGER
from spacrd_core.opening.kinds import refuse_special_below
from spacrd_core.store.links import entries_below, require_no_links_below

METADATA = "zarr.json"


def layout_sha256(folder: Path) -> str:
    """Return one checksum for the names and sizes of all files below a folder, and for the contents of its metadata.

    Hidden files and those of file managers are none of ours.
    """
    total = hashlib.sha256()
    for entry in entries_below(folder):
        name = entry.path.removeprefix(str(folder))
        if entry.is_dir(follow_symlinks=False) or f"{os.sep}." in name or FILE_MANAGER.fullmatch(entry.name):
            continue
        size = entry.stat(follow_symlinks=False).st_size
        total.update(f"{name}\0{size}\n".encode(errors="surrogateescape"))
        if entry.name == METADATA and entry.is_file(follow_symlinks=False):
            total.update(Path(entry.path).read_bytes())
    return total.hexdigest()


def require_layout(folder: Path, expected: str) -> None:
    """Refuse a group that contains links or pipes, or whose files are not those that were written.

    Of an ``expected`` layout '', only links and pipes are known.

    Raises
    ------
    StoreError
        If it contains a link.
    CorruptStore
        If a file is a pipe or the like, is missing, has another size or does not belong to it, or if its metadata have
        changed.
    """
    require_no_links_below(folder)
    refuse_special_below(folder, CorruptStore)
    if expected and layout_sha256(folder) != expected:
        raise CorruptStore(f"{folder} is damaged: files are missing or cut off, or its metadata have changed")
