"""What failed last in a store: one file per section and step, which stays until the step succeeds.

Jobs of an array write theirs without knowing of each other; afterwards, the store knows what is left to do.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from spacrd_core.errors import CorruptStore, OutputError
from spacrd_core.files import Record, read_record
from spacrd_core.store.folder import FAILURES_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spacrd_core.store.folder import StoreFolder

Step = Literal["ingest", "embed", "detect"]

VERSION = 1


class Failure(Record):
    """A step that failed for a section, why, and the remedy."""

    schema_version: int = VERSION
    section: str
    step: Step
    error: str
    hint: str = ""


def note_failures(store: StoreFolder, step: Step, errors: Mapping[str, Exception | None]) -> None:
    """Note the error of every section that failed, and forget those of sections that did not (None).

    A store that does not exist yet is not created for it, and on a full disk nothing is noted: the command tells it.
    """
    for section, error in errors.items():
        file = _file(store, section, step)
        if error is None:
            file.unlink(missing_ok=True)
        elif store.entries:
            failure = Failure(section=section, step=step, error=str(error), hint=getattr(error, "hint", ""))
            # garbage collection holds the lock, too, when it removes what a killed process left
            with suppress(OutputError), store.locked():
                _replace(file, failure.model_dump_json(indent=1) + "\n")


def read_failures(store: StoreFolder) -> list[Failure]:
    """Return what failed and has not succeeded since, by section; removed sections only failed to be ingested."""
    files = sorted(file for file in store.inside(FAILURES_FOLDER).glob("*.json") if not file.is_symlink())
    failures = [read_record(file, Failure, max_version=VERSION, error=CorruptStore) for file in files]
    known = store.entries
    return sorted(
        (failure for failure in failures if failure.step == "ingest" or failure.section in known),
        key=lambda failure: (failure.section, failure.step),
    )


def _file(store: StoreFolder, section: str, step: Step) -> Path:
    """Return the file of a section and step; a section that is refused may have any name."""
    return store.inside(
        FAILURES_FOLDER, f"{step}-{hashlib.sha256(section.encode(errors='surrogateescape')).hexdigest()[:16]}.json"
    )


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    staged = file.with_name(f".{uuid4().hex}")
    staged.write_text(text, encoding="utf-8")
    staged.replace(file)
