"""Find files in a folder of bins or cells; names of downloads may have a dataset prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile, UnrecognisedSection
from spacrd_readers._links import broken_link, follow_link, require_target
from spacrd_readers.tenx.scalefactors import SCALEFACTORS

if TYPE_CHECKING:
    from pathlib import Path

SCALEFACTOR_FILES = (SCALEFACTORS, f"{SCALEFACTORS}.gz")
UNPACK = "copy it from the run, or unpack its archive (.tar.gz)"


def find_file(folder: Path, *names: str) -> Path | None:
    """Return the first file of a list of names in a folder or its ``spatial``, with or without a prefix, or None.

    Names are in order of preference.

    Raises
    ------
    UnrecognisedSection
        If there are files of several sections.
    """
    for name in names:
        for parent in (folder, folder / "spatial"):
            matches = [path for path in _named(parent, name) if not broken_link(path)]
            if len(matches) > 1:
                names_found = " and ".join(path.name for path in matches[:3])
                raise UnrecognisedSection(
                    f"{parent} holds files of several sections: {names_found}",
                    hint="put the files of each section into a separate folder",
                )
            if matches:
                return follow_link(matches[0])
    return None


def need_file(folder: Path, role: str, *names: str) -> Path:
    """Return the first file of a list of names in a folder.

    Raises
    ------
    MissingFile
        If there is none.
    """
    file = find_file(folder, *names)
    if file is None:
        for path in (
            path for name in names for parent in (folder, folder / "spatial") for path in _named(parent, name)
        ):
            require_target(path)
        raise MissingFile(f"{folder} has no {role}: none of {', '.join(names)}", hint=UNPACK)
    return file


def _named(parent: Path, name: str) -> list[Path]:
    """Return the file of a name, or those with the name after a prefix; links may be broken."""
    path = parent / name
    return [path] if path.exists() or path.is_symlink() else sorted(parent.glob(f"[!.]*_{name}"))
