"""The files of a detector are its own: none is a link by which a stranger's detector could reach other files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spacrd_core.errors import DetectorError

if TYPE_CHECKING:
    from pathlib import Path

CACHED: Final = "blobs"  # where the Hub's cache has the files to which the links in a snapshot lead


def require_own_files(folder: Path) -> None:
    """Require that no file in the folder of a detector is a link to outside, such as one that `push` would publish.

    The folder itself may be a link, and links inside the Hub's cache stay in its folder of the repository.

    Raises
    ------
    DetectorError
        With the first such link.
    """
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        if file.is_symlink() and not _is_cached(file, folder.resolve()):
            raise DetectorError(
                f"{file} is a link, and a detector must not contain links",
                hint="put the file itself in its place",
            )


def _is_cached(file: Path, folder: Path) -> bool:
    """Return whether a link leads to a file of the same repository in the Hub's cache."""
    target = file.readlink()
    return len(target.parts) == 4 and target.parts[:3] == ("..", "..", CACHED) and folder.parents[0].name == "snapshots"
