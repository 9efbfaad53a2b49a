"""Safe writing and reading of files: checksums, fsync and rename, and records with a schema version."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from spacrd_core.config import mistakes
from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.small import read_small
from spacrd_core.replacement import replace_folder, restore_folder, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spacrd_core.errors import SpacrdError

__all__ = ["Record", "files_below", "publish", "read_record", "replace_folder", "restore_folder", "sync"]

FILE_MANAGER = re.compile(r"\._.*|\.DS_Store|Thumbs\.db|desktop\.ini")  # beside the data of a folder that was opened


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in a fixed order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def file_sha256(file: Path) -> str:
    """Return the checksum of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_sha256(folder: Path) -> str:
    """Return one checksum for the names and contents of all files below a folder, but those of file managers."""
    total = hashlib.sha256()
    for path in files_below(folder):
        if FILE_MANAGER.fullmatch(path.name):
            continue
        total.update(f"{path.relative_to(folder).as_posix()}\0{file_sha256(path)}\n".encode())
    return total.hexdigest()


def publish(staged: Path, final: Path) -> str:
    """Move a finished folder to its final name and return its checksum.

    If the final folder has the same files, another writer was faster and ``staged`` is deleted. If it has other files,
    they are damaged, because the name encodes the inputs of the group, and they are moved aside.
    """
    digest = tree_sha256(staged)
    for path in (*files_below(staged), *(p for p in staged.rglob("*") if p.is_dir()), staged):
        sync(path)
    if final.exists():
        if tree_sha256(final) == digest:
            os.utime(final)  # in use again, so not garbage
            shutil.rmtree(staged)
            return digest
        final.rename(final.with_name(f".tmp-damaged-{uuid4().hex}"))
    staged.rename(final)
    sync(final.parent)
    return digest


class Record(BaseModel):
    """A file format with a schema version; unknown fields and non-finite numbers are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


RecordT = TypeVar("RecordT", bound=Record)


def read_record(
    file: Path, model: type[RecordT], *, min_version: int = 1, max_version: int, error: type[SpacrdError]
) -> RecordT:
    """Return the record in a file; see :func:`parse_record`."""
    text = read_small(file, error)
    return parse_record(text, file, model, min_version=min_version, max_version=max_version, error=error)


def parse_record(
    text: bytes,
    file: Path,
    model: type[RecordT],
    *,
    min_version: int = 1,
    max_version: int,
    error: type[SpacrdError],
    prepare: Callable[[dict[str, Any]], dict[str, Any]] = lambda content: content,
) -> RecordT:
    """Return the record in the text of a file; its ``schema_version`` must be one that this SpaCRD reads.

    ``prepare`` may replace parts of the JSON content by objects that have been validated before.

    Raises
    ------
    SpacrdError
        Of the type ``error``, if the file is damaged, or was written by a newer SpaCRD or one that is too old.
    """
    try:
        content = parse_json(text, unique=True)
        version = content["schema_version"]
    except (ValueError, LookupError, TypeError) as cause:
        raise error(f"{file} is damaged: {cause}", hint="restore it from a copy") from cause
    if isinstance(version, int) and version > max_version:
        raise error(f"{file} has schema version {version}, this SpaCRD reads up to {max_version}", hint="update SpaCRD")
    if isinstance(version, int) and version < min_version:
        raise error(f"{file} has schema version {version}, this SpaCRD reads from {min_version}", hint="make it again")
    try:
        return model.model_validate(prepare(content))
    except ValidationError as cause:
        raise error(f"{file} is damaged: {'; '.join(mistakes(cause)[:3])}", hint="restore it from a copy") from cause
