"""Find files in a folder of bins or cells: downloads put the name of a data set before theirs, or leave them loose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile, UnrecognisedSection
from spacrd_readers.tenx.scalefactors import SCALEFACTORS

if TYPE_CHECKING:
    from pathlib import Path

SCALES = (SCALEFACTORS, f"{SCALEFACTORS}.gz")
POSITIONS = "tissue_positions.parquet"
UNPACK = "copy it from the run, or unpack it where it came as an archive (.tar.gz)"


def find_file(folder: Path, *names: str) -> Path | None:
    """Return the first of some files in a folder or its ``spatial``, their names prefixed or not; None if none is.

    Names come in the order of preference.

    Raises
    ------
    UnrecognisedSection
        If the files of several sections lie there.
    """
    for name in names:
        for place in (folder, folder / "spatial"):
            found = [place / name] if (place / name).exists() else sorted(place.glob(f"[!.]*_{name}"))
            if len(found) > 1:
                several = " and ".join(path.name for path in found[:3])
                raise UnrecognisedSection(
                    f"{place} holds {several}: which is meant cannot be told",
                    hint="put the files of each section into a folder of their own",
                )
            if found:
                return found[0]
    return None


def need_file(folder: Path, role: str, *names: str) -> Path:
    """Return the first of some files of a folder.

    Raises
    ------
    MissingFile
        If there is none.
    """
    found = find_file(folder, *names)
    if found is None:
        raise MissingFile(f"{folder} has no {role}: none of {', '.join(names)}", hint=UNPACK)
    return found
