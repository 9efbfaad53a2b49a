"""Where the files of a Visium section are, given its run, its ``outs``, a folder of downloads, or a matrix.

::

    run/outs/filtered_feature_bc_matrix.h5   run/outs/spatial/tissue_positions.csv       as Space Ranger leaves them
    <id>_filtered_feature_bc_matrix.h5       <id>_spatial/tissue_positions.csv           10x downloads
    GSM1_A_filtered_feature_bc_matrix.h5     GSM1_A_tissue_positions_list.csv.gz         depositions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import CountsError, InputError, MissingFile, UnrecognisedSection
from spacrd_readers.tenx.scalefactors import Scalefactors, read_scalefactors
from spacrd_readers.visium.names import (
    ARCHIVE,
    HD_FOLDER,
    LOOSE,
    MATRICES,
    OUTS,
    POSITIONS,
    PROBES,
    SCALEFACTORS,
    SPATIAL,
    named,
    of_sample,
    start_of,
)

if TYPE_CHECKING:
    from pathlib import Path

HD = "these are bins of Visium HD"


@dataclass(frozen=True)
class VisiumFiles:
    """The files of one section.

    Attributes
    ----------
    matrix
        An HDF5 file, or a folder in Market Exchange Format.
    start
        What stands before the names of the files beside the positions.
    scalefactors
        None where there is no such file.
    """

    matrix: Path
    positions: Path
    start: str
    scalefactors: Path | None
    notes: tuple[str, ...] = ()

    @property
    def raw(self) -> bool:
        """Whether the matrix is named as one of the whole capture area."""
        return any(re.fullmatch(kind, self.matrix.name) for kind in MATRICES[2:])

    @property
    def factors(self) -> Scalefactors:
        """What the scale factors say."""
        return read_scalefactors(self.scalefactors) if self.scalefactors else Scalefactors()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the image of the section may be: beside the matrix, beside the positions, and above either."""
        near = (self.matrix.absolute().parent, self.positions.absolute().parent)
        return (*near, *(folder.parent for folder in near))


def why_not_visium(path: Path, spatial: Path | None) -> str:
    """Return why a path is no Visium section; '' when it is, as far as names show."""
    try:
        find_files(path, spatial)
    except UnrecognisedSection as error:
        return str(error).removeprefix(f"{path} is no Visium section: ")
    except InputError:  # it is one, of which something is missing or broken: reading it says what
        return ""
    return ""


def find_files(path: Path, spatial: Path | None) -> VisiumFiles:
    """Return the files of the section at a path; ``spatial`` is the folder of its positions if the user gave it.

    Raises
    ------
    UnrecognisedSection
        If it is no Visium section, or several.
    CountsError
        If its only matrix is one of probes.
    MissingFile
        If it has no positions.
    """
    matrix, folder = _matrix_at(path)
    if re.fullmatch(PROBES, matrix.name):
        raise CountsError(
            f"{matrix} counts probes, not genes", hint="take filtered_feature_bc_matrix.h5 from the same run"
        )
    if re.fullmatch(HD_FOLDER, folder.absolute().name):
        raise _unrecognised(path, HD)
    positions, notes = _positions(folder, spatial, start_of(matrix, *MATRICES))
    start = start_of(positions, *POSITIONS)
    scales = of_sample(named(positions.parent, SCALEFACTORS), SCALEFACTORS, start)
    files = VisiumFiles(matrix, positions, start, scales, notes)
    if files.factors.bin_um:
        raise _unrecognised(path, HD)
    return files


def _matrix_at(path: Path) -> tuple[Path, Path]:
    """Return the matrix a path is or holds, and the folder that should hold the rest."""
    if any(re.fullmatch(kind, path.name) for kind in (*MATRICES, PROBES)) and path.exists():
        return path, path.parent
    if path.is_dir():
        return _matrix_in(path)
    if path.exists():
        raise _unrecognised(path, "its name does not end in filtered_feature_bc_matrix.h5 or raw_feature_bc_matrix.h5")
    raise _unrecognised(path, f"{path} does not exist")


def _matrix_in(path: Path) -> tuple[Path, Path]:
    """Return the matrix of a folder or of the ``outs`` in it, of the best kind there is, and which of the two it is."""
    for folder in (path, *named(path, OUTS)):
        for kind in (*MATRICES, PROBES):
            if found := named(folder, kind):
                return _only(path, found), folder
        if (found := named(folder, LOOSE)) and _has_positions(folder):
            _only(path, found)
            return folder, folder
    raise _unrecognised(path, "it holds no filtered_feature_bc_matrix or raw_feature_bc_matrix, .h5 or folder")


def _only(path: Path, found: list[Path]) -> Path:
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:3]) + (", ..." if len(found) > 3 else "")
        raise _unrecognised(path, f"it holds {len(found)} matrices ({names}), not one: give one of them")
    return found[0]


def _has_positions(folder: Path) -> bool:
    """Whether a folder or a spatial folder in it has a table of positions: other assays write the same matrices."""
    places = (folder, *named(folder, SPATIAL))
    return any(named(place, kind) for place in places for kind in POSITIONS)


def _places(folder: Path, start: str) -> list[Path]:
    """Return where the positions may be: in a sample's spatial folder, or loose beside the matrix."""
    spatial = of_sample([path for path in named(folder, SPATIAL) if path.is_dir()], SPATIAL, start)
    return [spatial, folder] if spatial else [folder]


def _positions(folder: Path, spatial: Path | None, start: str) -> tuple[Path, tuple[str, ...]]:
    """Return the table of a sample's positions, and a note where two stand side by side."""
    if spatial and not spatial.is_dir():
        raise MissingFile(f"the folder {spatial} does not exist", hint="--set reader.spatial=FOLDER")
    for place in [spatial] if spatial else _places(folder, start):
        tables = [table for kind in POSITIONS if (table := of_sample(named(place, kind), kind, start))]
        if len(tables) > 1:
            return tables[0], (f"{tables[0].name} was read, {tables[1].name} beside it was not",)
        if tables:
            return tables[0], ()
    packed = named(folder, ARCHIVE)
    raise MissingFile(
        f"{spatial or folder} has no tissue_positions.csv, tissue_positions_list.csv or tissue_positions.parquet",
        hint=f"unpack {packed[0].name}" if packed else "--set reader.spatial=FOLDER",
    )


def _unrecognised(path: Path, reason: str) -> UnrecognisedSection:
    return UnrecognisedSection(f"{path} is no Visium section: {reason}", hint="choose another reader with --reader")
