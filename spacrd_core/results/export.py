"""Export the latest calls of sections in one format, each section as a task of an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.executors.run import run_in_order
from spacrd_core.executors.serial import Serial
from spacrd_core.progress import Track, silent
from spacrd_core.results.build import timestamp
from spacrd_core.results.section_task import ExportTask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.errors import InputError
    from spacrd_core.executors.pool import Executor
    from spacrd_core.results.files.formats import Format
    from spacrd_core.store.store import SpotStore


def export_calls(
    store: SpotStore,
    sections: Sequence[str],
    form: Format,
    output: Path,
    *,
    executor: Executor | None = None,
    track: Track = silent,
) -> tuple[list[Path], list[InputError], list[Exception]]:
    """Write a file for every section; return the files, why others have none, and the errors of those that failed."""
    created = timestamp()
    tasks = [
        ExportTask(
            store=store.path, section=section, format=form.name, suffix=form.suffix, output=output, created=created
        )
        for section in sections
    ]
    outcomes = run_in_order(executor or Serial(), tasks, "writing", device="cpu", track=track)
    written, unsupported, errors = [], [], []
    for section, outcome in zip(sections, outcomes, strict=True):
        if outcome.error:
            if len(sections) > 1:
                outcome.error.add_note(f"section '{section}'")
            errors.append(outcome.error)
        elif isinstance(outcome.result, Exception):
            unsupported.append(outcome.result)
        elif outcome.result:
            written.append(outcome.result)
    return written, unsupported, errors
