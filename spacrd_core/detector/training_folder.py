"""The folder in which a training keeps the groups of patients that are done, until its detector is saved.

It is hidden, beside the detector. A file is named by what its scores depend on and by the checksum of its content, so
that neither other inputs nor damage can be taken for what belongs there.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from spacrd_core.errors import OutputError, SpacrdError
from spacrd_core.opening.small import read_small
from spacrd_core.replacement import real, replace_file
from spacrd_core.staging import REMOVED_MEANWHILE, paths_in, remove_abandoned
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX, DONE = ".safetensors", ".done"
OURS = re.compile(rf"[0-9a-f]{{32}}\.[0-9a-f]{{64}}{re.escape(SUFFIX)}|[0-9a-f]+{re.escape(DONE)}")
MAX_TRIES = 10


def training_folder(detector: Path) -> Path:
    """Return the folder for the training of a detector."""
    place = real(detector)
    return place.with_name(f".{place.name}.training")


def require_training_folder(folder: Path) -> None:
    """Require that a folder is new, or a real folder.

    Raises
    ------
    OutputError
        If it is a link or a file.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        kind = "a link" if folder.is_symlink() else "a file"
        raise OutputError(
            f"the training cannot save its progress in {folder}, which is {kind}", hint=f"move or remove {folder}"
        )


def contents_of(folder: Path, key: str, *, limit: int) -> Iterator[bytes]:
    """Yield the contents of the files that are kept under a key, of which at most ``limit`` bytes are read.

    What is damaged, larger or no file is passed over.
    """
    for file in paths_in(folder, f"{key}.*{SUFFIX}"):
        with suppress(OSError, SpacrdError):
            content = read_small(file, limit=limit)
            if file.name == _name(key, content):
                yield content


def keep(folder: Path, key: str, content: bytes) -> None:
    """Write what is kept under a key.

    Raises
    ------
    OutputError
        If there is no room, or no right to write.
    """
    for tries_left in reversed(range(MAX_TRIES)):
        try:
            with explained(folder):
                folder.mkdir(parents=True, exist_ok=True)
                replace_file(folder / _name(key, content), content)
        except REMOVED_MEANWHILE:  # another training into the same detector has ended, and removed the folder
            if not tries_left:
                raise
        else:
            return


def mark_done(folder: Path | None, detector: str) -> None:
    """Record the key of the detector that is about to be put in its place, if anything was kept of its training."""
    if folder and folder.is_dir():
        with suppress(FileNotFoundError):  # another training has removed the folder
            (folder / f"{detector}{DONE}").touch()


def is_done(folder: Path, detector: str) -> bool:
    """Return whether what a folder has is of the training of the detector with this key, or it has nothing any more."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return (folder / f"{detector}{DONE}").is_file() or not any(OURS.fullmatch(path.name) for path in paths_in(folder))


def remove_kept(folder: Path | None) -> None:
    """Remove what trainings have kept in a folder, and the folder if nothing else is in it.

    What tells that they are done goes last, so that whoever is killed meanwhile leaves what the next one removes.
    """
    if not folder or folder.is_symlink() or not folder.is_dir():
        return
    with suppress(OSError):
        remove_abandoned(folder)
        ours = [path for path in paths_in(folder) if OURS.fullmatch(path.name)]
        for path in sorted(ours, key=lambda path: path.suffix == DONE):
            path.unlink(missing_ok=True)
        folder.rmdir()


def _name(key: str, content: bytes) -> str:
    return f"{key}.{hashlib.sha256(content).hexdigest()}{SUFFIX}"
