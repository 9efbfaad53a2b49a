"""Export the calls of sections by one detector in one format, each section as a task of an executor."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.executors.run import run_in_order
from spacrd_core.executors.serial import Serial
from spacrd_core.outputs import require_room
from spacrd_core.progress import Track, silent
from spacrd_core.replacement import move_into_place
from spacrd_core.results.build import timestamp
from spacrd_core.results.files.formats import ALL_FORMATS
from spacrd_core.results.files.manifest import MANIFEST, replacing_files
from spacrd_core.results.folder import finish_interrupted
from spacrd_core.results.ownership import require_replaceable, require_results_folder
from spacrd_core.results.section_task import ExportTask
from spacrd_core.staging import staging
from spacrd_core.store.remove import stored_counts_bytes
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from spacrd_core.errors import InputError
    from spacrd_core.executors.pool import Executor
    from spacrd_core.results.files.formats import Format
    from spacrd_core.store.store import SpotStore

LARGE_FORMATS = ("h5ad", "spatialdata")  # with all counts


def prepare_export(folder: Path, store: SpotStore, sections: Sequence[str], form: Format, *, detector: str) -> None:
    """Require that files of one format can be written to a folder: before the work, not after it.

    Raises
    ------
    InputError, OutputError
        If other files or results of another detector are in the way, or there is no right to write, or no room.
    """
    require_results_folder(folder)
    finish_interrupted(folder)
    require_replaceable(folder, sections, detector=detector, form=form)
    entries = [store.entry(section) for section in sections] if form.name in LARGE_FORMATS else []
    require_room(folder, sum(stored_counts_bytes(store, entry) for entry in entries))


def export_calls(
    store: SpotStore,
    sections: Sequence[str],
    form: Format,
    output: Path,
    *,
    detector: str,
    executor: Executor | None = None,
    track: Track = silent,
) -> tuple[list[Path], list[InputError], list[Exception]]:
    """Write a file for every section; return the files, why others have none, and the errors of those that failed.

    The files are moved to the folder together: of two commands that write to it at once, one replaces the other's.
    """
    created, is_new = timestamp(), not output.exists()
    with explained(output):
        output.mkdir(parents=True, exist_ok=True)
        with staging(output) as aside:
            tasks = [
                ExportTask(
                    store=store.path,
                    section=section,
                    detector=detector,
                    format=form.name,
                    suffix=form.suffix,
                    output=output,
                    aside=aside.name,
                    created=created,
                )
                for section in sections
            ]
            outcomes = run_in_order(executor or Serial(), tasks, "writing", device="cpu", track=track)
            names = {outcome.result.name for outcome in outcomes if isinstance(outcome.result, Path)}
            with replacing_files(output / MANIFEST, names):
                require_replaceable(output, sections, detector=detector, form=form)  # others may have written to it
                for name in sorted(names):
                    move_into_place(aside / name, output / name)
    if is_new and not names:
        with suppress(OSError):  # another command has written to it
            output.rmdir()
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


def other_exports(folder: Path, written: Collection[Path], store: SpotStore) -> str:
    """Return files in a folder that may be of another detector, if several have called the sections of the store."""
    entries = store.entries
    if (folder / MANIFEST).exists() or len({key for entry in entries.values() for key in entry.predictions}) < 2:
        return ""
    paths = [form.path(folder, section) for section in entries for form in ALL_FORMATS]
    others = sorted(path.name for path in paths if path not in written and path.exists())
    return ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
