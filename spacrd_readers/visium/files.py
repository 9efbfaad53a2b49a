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

from spacrd_core.errors import InputError, MissingFile, UnrecognisedSection
from spacrd_readers._links import require_target
from spacrd_readers.tenx.scalefactors import Scalefactors, read_scalefactors
from spacrd_readers.visium.matrices import HD_REASON, find_matrix, unrecognised
from spacrd_readers.visium.names import (
    ARCHIVE,
    HD_FOLDER,
    LOOSE,
    MATRICES,
    POSITIONS,
    SCALEFACTORS,
    SPATIAL,
    files_matching,
    name_prefix,
    select_sample_file,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class VisiumFiles:
    """The files of one section.

    Attributes
    ----------
    matrix
        An HDF5 file, or a folder or a file in Market Exchange Format.
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
    matrix, folder, matrix_notes = find_matrix(path, anywhere=spatial is not None)
    if re.fullmatch(HD_FOLDER, folder.absolute().name):
        raise unrecognised(path, HD_REASON)
    require_target(matrix)
    positions, notes = _find_positions(folder, spatial, name_prefix(matrix, *MATRICES, LOOSE))
    require_target(positions)
    prefix = name_prefix(positions, *POSITIONS)
    scales = select_sample_file(files_matching(positions.parent, SCALEFACTORS), SCALEFACTORS, prefix)
    if scales:
        require_target(scales)
    files = VisiumFiles(matrix, positions, prefix, scales, (*matrix_notes, *notes))
    if files.factors.bin_um:
        raise unrecognised(path, HD_REASON)
    return files


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
