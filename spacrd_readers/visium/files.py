"""Find the files of a Visium section from its run, its ``outs``, a folder of downloads, or a matrix.

::

    run/outs/filtered_feature_bc_matrix.h5   run/outs/spatial/tissue_positions.csv       Space Ranger
    <id>_filtered_feature_bc_matrix.h5       <id>_spatial/tissue_positions.csv           10x downloads
    GSM1_A_filtered_feature_bc_matrix.h5     GSM1_A_tissue_positions_list.csv.gz         depositions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import CountsError, InputError, MissingFile, UnrecognisedSection
from spacrd_readers._base import CHOOSE_READER, first_names
from spacrd_readers._links import require_target
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
    files_matching,
    name_prefix,
    select_sample_file,
)

if TYPE_CHECKING:
    from pathlib import Path

HD_REASON = "these are bins of Visium HD"


@dataclass(frozen=True)
class VisiumFiles:
    """The files of one section.

    Attributes
    ----------
    matrix
        An HDF5 file, or a folder in Market Exchange Format.
    prefix
        The prefix of the names of the files beside the positions.
    scalefactors
        None if there is no such file.
    """

    matrix: Path
    positions: Path
    prefix: str
    scalefactors: Path | None
    notes: tuple[str, ...] = ()

    @property
    def raw(self) -> bool:
        """Whether the matrix is named as that of the whole capture area."""
        return any(re.fullmatch(kind, self.matrix.name) for kind in MATRICES[2:])

    @property
    def factors(self) -> Scalefactors:
        """The scale factors."""
        return read_scalefactors(self.scalefactors) if self.scalefactors else Scalefactors()

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that may hold the image: beside the matrix, beside the positions, and their parents."""
        near = (self.matrix.absolute().parent, self.positions.absolute().parent)
        return (*near, *(folder.parent for folder in near))


def rejection_reason(path: Path, spatial: Path | None) -> str:
    """Return why a path is not a Visium section; '' if it looks like one by names."""
    try:
        find_files(path, spatial)
    except UnrecognisedSection as error:
        return str(error).removeprefix(f"{path} is not a Visium section: ")
    except InputError:  # a section with a missing or broken file: reading it reports the file
        return ""
    return ""


def find_files(path: Path, spatial: Path | None) -> VisiumFiles:
    """Return the files of the section at a path; ``spatial`` is the folder of its positions if the user gave it.

    Raises
    ------
    UnrecognisedSection
        If it is not a Visium section, or several.
    CountsError
        If its only matrix is a probe matrix.
    MissingFile
        If it has no positions.
    """
    matrix, folder = _find_matrix(path)
    if re.fullmatch(PROBES, matrix.name):
        raise CountsError(
            f"{matrix} counts probes, not genes", hint="give filtered_feature_bc_matrix.h5 of the same run"
        )
    if re.fullmatch(HD_FOLDER, folder.absolute().name):
        raise _unrecognised(path, HD_REASON)
    require_target(matrix)
    positions, notes = _find_positions(folder, spatial, name_prefix(matrix, *MATRICES))
    require_target(positions)
    prefix = name_prefix(positions, *POSITIONS)
    scales = select_sample_file(files_matching(positions.parent, SCALEFACTORS), SCALEFACTORS, prefix)
    if scales:
        require_target(scales)
    files = VisiumFiles(matrix, positions, prefix, scales, notes)
    if files.factors.bin_um:
        raise _unrecognised(path, HD_REASON)
    return files


def _find_matrix(path: Path) -> tuple[Path, Path]:
    """Return the matrix that a path is or holds, and the folder that should hold the other files."""
    if any(re.fullmatch(kind, path.name) for kind in (*MATRICES, PROBES)) and path.exists():
        return path, path.parent
    if path.is_dir():
        return _find_matrix_in(path)
    if path.exists():
        raise _unrecognised(path, "its name does not end in filtered_feature_bc_matrix.h5 or raw_feature_bc_matrix.h5")
    raise _unrecognised(path, f"{path} does not exist")


def _find_matrix_in(path: Path) -> tuple[Path, Path]:
    """Return the preferred matrix of a folder, or of the ``outs`` in it, and the folder that holds the matrix."""
    for folder in (path, *files_matching(path, OUTS)):
        for kind in (*MATRICES, PROBES):
            if matrices := files_matching(folder, kind):
                return _require_single(path, matrices), folder
        if (matrices := files_matching(folder, LOOSE)) and _has_positions(folder):
            _require_single(path, matrices)
            return folder, folder
    raise _unrecognised(path, "it holds no filtered_feature_bc_matrix or raw_feature_bc_matrix, .h5 or folder")


def _require_single(path: Path, matrices: list[Path]) -> Path:
    if len(matrices) > 1:
        names = first_names([file.name for file in matrices], 3)
        raise _unrecognised(path, f"it holds {len(matrices)} matrices ({names}): give the path of one")
    return matrices[0]


def _has_positions(folder: Path) -> bool:
    """Return whether a folder, or a spatial folder in it, has positions: other assays write the same matrices."""
    folders = (folder, *files_matching(folder, SPATIAL))
    return any(files_matching(parent, kind) for parent in folders for kind in POSITIONS)


def _position_folders(folder: Path, prefix: str) -> list[Path]:
    """Return the folders that may hold the positions: a sample's spatial folder, and that of the matrix."""
    spatial = select_sample_file([path for path in files_matching(folder, SPATIAL) if path.is_dir()], SPATIAL, prefix)
    return [spatial, folder] if spatial else [folder]


def _find_positions(folder: Path, spatial: Path | None, prefix: str) -> tuple[Path, tuple[str, ...]]:
    """Return a sample's table of positions, and a note if there are two."""
    if spatial and not spatial.is_dir():
        raise MissingFile(f"the folder {spatial} does not exist", hint="check reader.spatial")
    for parent in [spatial] if spatial else _position_folders(folder, prefix):
        candidates = (select_sample_file(files_matching(parent, kind), kind, prefix) for kind in POSITIONS)
        tables = [table for table in candidates if table]
        if len(tables) > 1:
            return tables[0], (f"{tables[0].name} was read; {tables[1].name} beside it was not",)
        if tables:
            return tables[0], ()
    archives = files_matching(folder, ARCHIVE)
    raise MissingFile(
        f"{spatial or folder} has no tissue_positions.csv, tissue_positions_list.csv or tissue_positions.parquet",
        hint=f"unpack {archives[0].name}" if archives else "use --set reader.spatial=FOLDER",
    )


def _unrecognised(path: Path, reason: str) -> UnrecognisedSection:
    return UnrecognisedSection(f"{path} is not a Visium section: {reason}", hint=CHOOSE_READER)
