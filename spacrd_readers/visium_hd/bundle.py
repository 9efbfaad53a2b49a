"""Find the folders of a Visium HD section from its run, its ``outs``, or one folder of bins or cells.

::

    outs/binned_outputs/square_008um/filtered_feature_bc_matrix.h5   spatial/tissue_positions.parquet   Space Ranger
    outs/segmented_outputs/filtered_feature_cell_matrix.h5   cell_segmentations.geojson                 since 4.0
    square_008um/...   <id>_square_008um/...   <id>_filtered_feature_bc_matrix.h5                       downloads
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError, MissingFile, UnrecognisedSection
from spacrd_readers._base import CHOOSE_READER
from spacrd_readers.tenx.scalefactors import read_scalefactors
from spacrd_readers.visium_hd.array import bin_size_from_names
from spacrd_readers.visium_hd.files import SCALEFACTOR_FILES, find_file
from spacrd_readers.visium_hd.positions import POSITION_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIN_FOLDER = re.compile(r"(.*_)?square_(\d{3})um")
BINNED_FOLDER = re.compile(r"(.*_)?binned_outputs")
CELL_FOLDER = re.compile(r"(.*_)?segmented_outputs")
OUTS_FOLDER = re.compile(r"(.*_)?outs")
ZARR_METADATA = ("zarr.json", ".zgroup")
DEFAULT_BIN_UM = 8
ONE_FOLDER_HINT = "give the folder of one of them"


@dataclass(frozen=True)
class Bundle:
    """The folders of one section.

    Attributes
    ----------
    path
        The path that the user gave.
    root
        The folder of the whole section: the run, its ``outs``, or the folder of a download.
    levels
        The folder of each bin size, in um.
    cells
        The folder of segmented cells; None if there is none.
    """

    path: Path
    root: Path
    levels: dict[int, Path]
    cells: Path | None = None

    @property
    def shared_folders(self) -> tuple[Path, ...]:
        """The folders that may hold files common to all bin sizes: images and scale factors."""
        parents = (self.root.parent,) if OUTS_FOLDER.fullmatch(self.root.name) else ()
        return (self.root, *_folders(self.root, OUTS_FOLDER), *parents)

    def select_bin_um(self, bin_um: int | None) -> int:
        """Return the bin size to read; by default the only one there is, or 8 um.

        Raises
        ------
        MissingFile
            If there are no bins of the size.
        """
        size = bin_um or (next(iter(self.levels)) if len(self.levels) == 1 else DEFAULT_BIN_UM)
        if size in self.levels:
            return size
        if not self.levels:
            raise MissingFile(f"{self.path} has cells, but no bins", hint="use --set reader.unit=cell")
        raise MissingFile(
            f"{self.path} has no bins of {size} um, only of {' and '.join(map(str, sorted(self.levels)))} um",
            hint=f"use --set reader.bin_um={DEFAULT_BIN_UM if DEFAULT_BIN_UM in self.levels else max(self.levels)}",
        )


def rejection_reason(path: Path) -> str:
    """Return why a path is not a Visium HD section; '' if it looks like one by names."""
    try:
        find_bundle(path)
    except UnrecognisedSection as error:
        return str(error).removeprefix(f"{path} is not a Visium HD section: ")
    return ""


def find_bundle(path: Path) -> Bundle:
    """Return the folders of the section at a path.

    Raises
    ------
    UnrecognisedSection
        If there are none, or several of one kind.
    """
    if not path.is_dir():
        raise _unrecognised(path, "it is a file: give its folder" if path.exists() else "it does not exist")
    folder = path.absolute()
    if _is_zarr(folder):
        raise _unrecognised(path, "it is a zarr group, not a folder of Space Ranger")
    root = _root(folder)
    if match := BIN_FOLDER.fullmatch(folder.name):
        return Bundle(path, root, {int(match[2]): folder})
    if CELL_FOLDER.fullmatch(folder.name):
        return Bundle(path, root, {}, folder)
    levels, cells = _find_folders(root, path)
    if levels or cells:
        return Bundle(path, root, levels, cells)
    if bin_um := _stated_um(folder):
        return Bundle(path, root, {bin_um: folder})
    raise _unrecognised(path, "it holds no folder like square_008um and no segmented_outputs")


def _root(folder: Path) -> Path:
    while any(kind.fullmatch(folder.name) for kind in (BIN_FOLDER, BINNED_FOLDER, CELL_FOLDER)):
        folder = folder.parent
    return folder


def _find_folders(root: Path, path: Path) -> tuple[dict[int, Path], Path | None]:
    """Return the folders of bins and of cells."""
    outs = [root, *_folders(root, OUTS_FOLDER)]
    parents = outs + [binned for folder in outs for binned in _folders(folder, BINNED_FOLDER)]
    levels: dict[int, Path] = {}
    for folder in (level for parent in parents for level in _folders(parent, BIN_FOLDER)):
        bin_um = int(folder.name[-5:-2])
        if bin_um in levels:
            raise _unrecognised(
                path, f"it holds bins of {bin_um} um twice, in {levels[bin_um]} and {folder}", ONE_FOLDER_HINT
            )
        levels[bin_um] = folder
    cells = [cell_folder for parent in outs for cell_folder in _folders(parent, CELL_FOLDER)]
    if len(cells) > 1:
        raise _unrecognised(path, f"it holds cells twice, in {cells[0]} and {cells[1]}", ONE_FOLDER_HINT)
    return levels, cells[0] if cells else None


def _folders(parent: Path, kind: re.Pattern[str]) -> Iterator[Path]:
    folders = (path for path in sorted(parent.iterdir()) if kind.fullmatch(path.name) and path.is_dir())
    return (folder for folder in folders if not _is_zarr(folder))


def _is_zarr(folder: Path) -> bool:
    """Return whether a folder is a zarr group: SpatialData names its tables as Space Ranger names its folders."""
    return any((folder / name).is_file() for name in ZARR_METADATA)


def _stated_um(folder: Path) -> int | None:
    """Return the bin size according to a folder's files, whatever its name; None if they are not of bins."""
    try:
        scales, positions = find_file(folder, *SCALEFACTOR_FILES), find_file(folder, *POSITION_FILES)
        stated = read_scalefactors(scales).bin_um if scales else None
        return int(stated) if stated else bin_size_from_names(positions) if positions else None
    except GeometryError:
        return None


def _unrecognised(path: Path, reason: str, hint: str = CHOOSE_READER) -> UnrecognisedSection:
    return UnrecognisedSection(f"{path} is not a Visium HD section: {reason}", hint=hint)
