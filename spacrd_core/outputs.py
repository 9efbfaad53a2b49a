"""Where output may be written: not into what is not ours to fill, and only where there is the right and the room."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

from spacrd_core.errors import InputError, OutputError
from spacrd_core.opening.json_text import parse_json
from spacrd_core.replacement import real
from spacrd_core.staging import PREFIX
from spacrd_core.system_errors import explained

SIGNATURE_BYTES = 4096  # of a file's beginning, where its signature is looked for
MAX_CONFIG_BYTES = 64_000_000
PROBE_BYTES = 65_536


def require_outside(path: Path, *, itself: bool = False) -> None:
    """Reject a path inside what must stay as it is, links followed; or, with ``itself``, that is such a folder.

    A spot store, a detector, a zarr and the records of git must stay as they are.

    Raises
    ------
    InputError
        If it is.
    """
    place = real(path)
    for folder in (place, *place.parents) if itself else place.parents:
        if kind := kind_of(folder):
            where = f"is {kind}" if folder == place else f"is in {kind}, {folder}"
            raise InputError(f"{path} {where}; other files must not be mixed with it", hint="name another place")


def kind_of(folder: Path) -> str:
    """Return which of the folders that must stay as they are a folder is; empty if it is none."""
    if (folder / "spacrd.json").is_file():
        return "a spot store"
    if _format(folder / "config.json").startswith("spacrd"):
        return "a detector"
    if any((folder / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray")):
        return "a zarr"
    if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
        return "a folder of git"
    return ""


def temporary_folder() -> Path:
    """Return the folder for temporary files.

    Raises
    ------
    OutputError
        If none can be written.
    """
    try:
        return Path(gettempdir())
    except FileNotFoundError as error:
        raise OutputError(
            f"temporary files cannot be written: {error.strerror}",
            hint="free some room, or set TMPDIR to a folder that you may write to",
        ) from error


def has_signature(file: Path, *signatures: bytes) -> bool:
    """Return whether a file is one of ours: empty, or its beginning contains all signatures. A pipe is not read."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            return False
        with file.open("rb") as stream:
            beginning = stream.read(SIGNATURE_BYTES)
    except OSError:
        return False
    return not status.st_size or all(signature in beginning for signature in signatures)


def require_room(folder: Path, needed: int = 0) -> None:
    """Try whether files can be written to a folder, which may not exist yet, and whether they have room.

    Raises
    ------
    OutputError
        If a file cannot be written there, or there are fewer bytes than are about ``needed``.
    """
    present = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    with explained(folder, always=True), TemporaryFile(dir=present, prefix=PREFIX) as file:
        file.write(bytes(PROBE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        file.truncate(max(needed, PROBE_BYTES))  # refused beyond the limit of the process
    total, _, free = shutil.disk_usage(present)
    if total and free < needed:  # some file systems do not tell
        raise OutputError(
            f"{folder} has room for {free / 1e6:.3g} MB, and about {needed / 1e6:.3g} MB are needed",
            hint="free some room, or name another place",
        )


def _format(config: Path) -> str:
    try:
        if config.stat().st_size > MAX_CONFIG_BYTES or not config.is_file():
            return ""
        return str(parse_json(config.read_bytes())["format"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""
