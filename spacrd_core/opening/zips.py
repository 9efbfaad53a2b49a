"""Look through a zip before a library reads it: its members are whole, and do not unpack to far more than the file."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from spacrd_core.opening.declared import FREE_BYTES, MAX_EXPANSION

if TYPE_CHECKING:
    from pathlib import Path


def require_sound_zip(path: Path) -> None:
    """Require that every member of a zip matches its checksum.

    Raises
    ------
    ValueError
        If one does not, or all together unpack to too many times the size of the file.
    zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, RuntimeError
        As the ``zipfile`` module, on a damaged, unsupported or encrypted archive.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > max(
            FREE_BYTES, MAX_EXPANSION * path.stat().st_size
        ):
            raise ValueError(f"it unpacks to more than {MAX_EXPANSION} times its size")
        if damaged := archive.testzip():
            raise ValueError(f"its member {damaged} is damaged")
