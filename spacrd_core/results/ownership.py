"""What a folder or file for results may replace: only what SpaCRD wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError
from spacrd_core.outputs import has_signature, require_outside
from spacrd_core.quoting import shortened
from spacrd_core.results.files.formats import DEFAULT_FORMATS, Format
from spacrd_core.results.files.manifest import MANIFEST, read_manifest
from spacrd_core.results.files.multiqc import MULTIQC_FILE
from spacrd_core.results.report.pages import is_report, require_pages_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

REPORT = "report.html"
SHARED_FILES: dict[str, Callable[[Path], bool]] = {
    REPORT: is_report,
    MANIFEST: lambda path: read_manifest(path) is not None,
    MULTIQC_FILE: lambda path: has_signature(path, b'"id": "spacrd"'),
}


def require_results_folder(folder: Path) -> None:
    """Reject a path that is a file, or in a spot store, a detector or a zarr.

    Raises
    ------
    InputError
        If it is one of them.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"results need a folder, but {folder} is a file", hint="name another folder")
    require_outside(folder, itself=True)


def require_replaceable(folder: Path, sections: Collection[str], *, detector: str, form: Format | None = None) -> None:
    """Reject a folder that cannot take the results of a detector, or with ``form`` its files of this format.

    Raises
    ------
    InputError
        If it is not a folder for results, or files of others or results of another detector are in the way.
    """
    require_results_folder(folder)
    require_own(folder, sections, [form] if form else DEFAULT_FORMATS)
    require_same_detector(folder, detector, () if form else sections)


def require_own(
    folder: Path,
    sections: Iterable[str],
    forms: Sequence[Format] = DEFAULT_FORMATS,
    *,
    names: Collection[str] | None = None,
) -> None:
    """Reject a folder that has files of others under the names of a section's files, or of the report's.

    ``names`` are those that will be written, if that is known.

    Raises
    ------
    InputError
        If it has.
    """
    for section in sections:
        for form in forms:
            path = form.path(folder, section)
            if names is None or path.name in names:
                _require_ours(path, form.is_ours)
    if forms == DEFAULT_FORMATS:
        for name, is_ours in SHARED_FILES.items():
            _require_ours(folder / name, is_ours)
        require_pages_folder(folder / REPORT)


def require_same_detector(folder: Path, key: str, replaced: Collection[str] = ()) -> None:
    """Reject a folder with results of another detector, unless all of its sections are replaced.

    Raises
    ------
    InputError
        If there are results that would stay.
    """
    manifest = read_manifest(folder / MANIFEST)
    if manifest is None or manifest["provenance"]["detector"] == key:
        return
    if staying := sorted(set(manifest["sections"]) - set(replaced)):
        raise InputError(
            f"{folder} has results of another detector, {manifest['provenance']['detector']}, for {_first(staying)}; "
            f"those of {key} must not be mixed with them",
            hint="name another folder",
        )


def _require_ours(path: Path, is_ours: Callable[[Path], bool]) -> None:
    if os.path.lexists(path) and not is_ours(path):
        raise InputError(
            f"{path} was not written by SpaCRD and is not replaced", hint="move it, or name another folder"
        )


def _first(names: list[str]) -> str:
    return ", ".join(map(shortened, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
