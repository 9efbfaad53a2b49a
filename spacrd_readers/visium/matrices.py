"""Find the matrix of a Visium section: the run's own, or one that another tool has made of it under any name.

::

    outs/filtered_feature_bc_matrix.h5    filtered_feature_bc_matrix/    matrix.mtx.gz    Space Ranger
    outs/cellbender_out_filtered.h5       spotclean/matrix.mtx.gz                         other tools
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spacrd_core.errors import CountsError, UnrecognisedSection
from spacrd_readers._base import CHOOSE_READER, first_names
from spacrd_readers.tenx.h5 import first_barcode
from spacrd_readers.tenx.mex import is_mex_folder
from spacrd_readers.visium.barcodes import BARCODE_LETTERS
from spacrd_readers.visium.names import LOOSE, MATRICES, OUTS, POSITIONS, PROBES, SPATIAL, files_matching

if TYPE_CHECKING:
    from pathlib import Path

HD_REASON = "these are bins of Visium HD"
HD_BARCODE = re.compile(r"s_\d{3}um_|cellid_\d")  # bins and cells of Visium HD: s_008um_00301_00321-1
STANDARD_NAMES = "filtered_feature_bc_matrix.h5 or raw_feature_bc_matrix.h5"
NO_MATRIX = "it holds no filtered_feature_bc_matrix or raw_feature_bc_matrix, .h5 or folder"


def find_matrix(path: Path, *, anywhere: bool) -> tuple[Path, Path, tuple[str, ...]]:
    """Return the matrix that a path is or holds, the folder that should hold the other files, and notes.

    A matrix of another name counts only beside positions; with ``anywhere``, positions may be elsewhere.

    Raises
    ------
    UnrecognisedSection
        If there is none, or several.
    CountsError
        If there is only a probe matrix.
    """
    if any(re.fullmatch(kind, path.name) for kind in (*MATRICES, PROBES)) and path.exists():
        return _not_probes(path), path.parent, ()
    if not path.exists():
        raise unrecognised(path, f"{path} does not exist")
    if not path.is_dir():
        return *_given_file(path, anywhere=anywhere), ()
    if is_mex_folder(path) and not has_positions(path) and (anywhere or has_positions(path.absolute().parent)):
        return path, path.absolute().parent, ()
    return _find_in(path)


def has_positions(folder: Path) -> bool:
    """Return whether a folder, or a spatial folder in it, has positions: other assays write the same matrices."""
    folders = (folder, *files_matching(folder, SPATIAL))
    return any(files_matching(parent, kind) for parent in folders for kind in POSITIONS)


def unrecognised(path: Path, reason: str) -> UnrecognisedSection:
    """Return the error for a path that is not a Visium section."""
    return UnrecognisedSection(f"{path} is not a Visium section: {reason}", hint=CHOOSE_READER)


def _given_file(path: Path, *, anywhere: bool) -> tuple[Path, Path]:
    """Return the matrix that a file of any name is or belongs to, and the folder of the other files."""
    if match := re.fullmatch(LOOSE, path.name):
        folder = path.absolute().parent
        home = folder if has_positions(folder) else folder.parent
        return (path if match["prefix"] else path.parent), _beside_positions(path, home, anywhere=anywhere)
    if not (barcode := first_barcode(path)):
        raise unrecognised(path, f"its name does not end in {STANDARD_NAMES}")
    if HD_BARCODE.search(barcode):
        raise unrecognised(path, HD_REASON)
    if not re.search(BARCODE_LETTERS, barcode):
        raise unrecognised(path, f"it is a 10x matrix, but not of spots (the first is named {barcode})")
    return path, _beside_positions(path, path.absolute().parent, anywhere=anywhere)


def _beside_positions(path: Path, folder: Path, *, anywhere: bool) -> Path:
    if not anywhere and not has_positions(folder):
        raise unrecognised(
            path,
            f"it is a 10x matrix, but {folder} has no spatial folder with positions; put it beside the run's spatial "
            "folder, or use --reader visium --set reader.spatial=FOLDER",
        )
    return folder


def _find_in(path: Path) -> tuple[Path, Path, tuple[str, ...]]:
    """Return the preferred matrix of a folder, or of the ``outs`` in it, the folder that holds it, and notes."""
    folders = (path, *files_matching(path, OUTS))
    for folder in folders:
        for kind in MATRICES:
            if matrices := files_matching(folder, kind):
                return _only(path, matrices), folder, ()
        if (matrices := files_matching(folder, LOOSE)) and has_positions(folder):
            _only(path, matrices)
            return folder, folder, ()
    for folder in filter(has_positions, folders):
        if matrices := _of_other_names(folder):
            matrix = _only(path, matrices)
            return matrix, folder, (f"{matrix.name} was read as the matrix of the run",)
    for folder in folders:
        if probes := files_matching(folder, PROBES):
            return _not_probes(_only(path, probes)), folder, ()
    raise unrecognised(path, NO_MATRIX)


def _of_other_names(folder: Path) -> list[Path]:
    """Return the matrices of spots in a folder, whatever their names, except probe matrices."""
    paths = (path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "aggr_")))
    return [path for path in paths if is_mex_folder(path) or re.search(BARCODE_LETTERS, first_barcode(path))]


def _only(path: Path, matrices: list[Path]) -> Path:
    if len(matrices) > 1:
        names = first_names([file.name for file in matrices], 3)
        raise unrecognised(path, f"it holds {len(matrices)} matrices ({names}): give the path of one")
    return matrices[0]


def _not_probes(matrix: Path) -> Path:
    if re.fullmatch(PROBES, matrix.name):
        raise CountsError(
            f"{matrix} counts probes, not genes", hint="give filtered_feature_bc_matrix.h5 of the same run"
        )
    return matrix
