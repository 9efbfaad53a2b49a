"""What makes files safe to publish: checksums, fsync, rename."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from spacrd_core.config import mistakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spacrd_core.errors import SpacrdError


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in a fixed order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def tree_sha256(folder: Path) -> str:
    """Return one checksum for the names and contents of all files below a folder."""
    total = hashlib.sha256()
    for path in files_below(folder):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def sync(path: Path) -> None:
    """Force a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(staged: Path, final: Path) -> str:
    """Move a finished folder to its final name and return its checksum.

    If the name is taken by the same files, another writer was faster and ``staged`` is dropped; if it is taken by other
    files, they are damaged, for the name stands for what the group was made from, and they make way.
    """
    digest = tree_sha256(staged)
    for path in (*files_below(staged), *(p for p in staged.rglob("*") if p.is_dir()), staged):
        sync(path)
    if final.exists():
        if tree_sha256(final) == digest:
            os.utime(final)  # it is in use again: no garbage
            shutil.rmtree(staged)
            return digest
        final.rename(final.with_name(f".tmp-damaged-{uuid4().hex}"))
    staged.rename(final)
    sync(final.parent)
    return digest


def replace_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a new folder aside, then put it in the place of ``folder``.

    The old folder stands beside it until the new one is in place: :func:`restore_folder` brings it back if that fails.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    restore_folder(folder)
    staged = folder.with_name(f".{folder.name}.tmp-{uuid4().hex}")
    staged.mkdir()
    for name, content in contents.items():
        (staged / name).write_bytes(content)
        sync(staged / name)
    sync(staged)
    old = _set_aside(folder)
    if folder.exists():
        folder.rename(old)
    staged.rename(folder)
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def restore_folder(folder: Path) -> None:
    """Bring back a folder that was being replaced when the process was killed."""
    old = _set_aside(folder.absolute())
    if old.is_dir() and not folder.exists():
        old.rename(folder)


def _set_aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


class Record(BaseModel):
    """Facts that are written once and never changed; unknown fields and numbers that are none are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


RecordT = TypeVar("RecordT", bound=Record)


def read_record(file: Path, model: type[RecordT], *, newest: int, refuse: type[SpacrdError]) -> RecordT:
    """Return the record in a file, whose ``schema_version`` must not be above ``newest``.

    Raises
    ------
    SpacrdError
        Of the kind ``refuse``, if the file is damaged or written by a newer SpaCRD.
    """
    try:
        facts = json.loads(file.read_bytes())
        version = facts["schema_version"]
    except (ValueError, LookupError, TypeError) as error:
        raise refuse(f"{file} is damaged: {error}", hint="restore it from a copy") from error
    if isinstance(version, int) and version > newest:
        raise refuse(f"{file} has schema {version}, this SpaCRD reads up to {newest}", hint="update SpaCRD")
    try:
        return model.model_validate(facts)
    except ValidationError as error:
        raise refuse(f"{file} is damaged: {'; '.join(mistakes(error)[:3])}", hint="restore it from a copy") from error
