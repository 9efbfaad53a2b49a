"""Where the folders of a Visium HD section are, given its run, its ``outs``, or one folder of bins or cells.

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
from spacrd_readers.tenx.scalefactors import read_scalefactors
from spacrd_readers.visium_hd.array import named_um
from spacrd_readers.visium_hd.files import POSITIONS, SCALES, find_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEVEL = re.compile(r"(.*_)?square_(\d{3})um")
BINNED = re.compile(r"(.*_)?binned_outputs")
CELLS = re.compile(r"(.*_)?segmented_outputs")
OUTS = re.compile(r"(.*_)?outs")
USUAL_UM = 8
ONE = "give the folder of one of them"


@dataclass(frozen=True)
class Bundle:
    """The folders of one section.

    Attributes
    ----------
    path
        What was given.
    root
        Where all of it lies: the run, its ``outs``, or the folder of a download.
    levels
        The folder of every bin size, in um.
    cells
        The folder of segmented cells; None where there is none.
    """

    path: Path
    root: Path
    levels: dict[int, Path]
    cells: Path | None = None

    @property
    def homes(self) -> tuple[Path, ...]:
        """The folders in which what is not of one bin size may lie: images, scale factors."""
        above = (self.root.parent,) if OUTS.fullmatch(self.root.name) else ()
        return (self.root, *_folders(self.root, OUTS), *above)

    def choose(self, bin_um: int | None) -> int:
        """Return the bin size to read; None chooses the usual one, or the only one there is.

        Raises
        ------
        MissingFile
            If there are no bins of the size.
        """
        wanted = bin_um or (next(iter(self.levels)) if len(self.levels) == 1 else USUAL_UM)
        if wanted in self.levels:
            return wanted
        if not self.levels:
            raise MissingFile(f"{self.path} has cells, but no bins", hint="--set reader.unit=cell")
        raise MissingFile(
            f"{self.path} has no bins of {wanted} um, but of {' and '.join(map(str, sorted(self.levels)))} um",
            hint=f"--set reader.bin_um={USUAL_UM if USUAL_UM in self.levels else max(self.levels)}",
        )


def why_no_bundle(path: Path) -> str:
    """Return why a path is no Visium HD section; '' when it is, as far as names show."""
    try:
        find_bundle(path)
    except UnrecognisedSection as error:
        return str(error).removeprefix(f"{path} is no Visium HD section: ")
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
    here = path.absolute()
    root = _root(here)
    if found := LEVEL.fullmatch(here.name):
        return Bundle(path, root, {int(found[2]): here})
    if CELLS.fullmatch(here.name):
        return Bundle(path, root, {}, here)
    levels, cells = _below(root, path)
    if levels or cells:
        return Bundle(path, root, levels, cells)
    if bin_um := _stated_um(here):
        return Bundle(path, root, {bin_um: here})
    raise _unrecognised(path, "it holds no folder square_008um, or of another bin size, and no segmented_outputs")


def _root(folder: Path) -> Path:
    while any(kind.fullmatch(folder.name) for kind in (LEVEL, BINNED, CELLS)):
        folder = folder.parent
    return folder


def _below(root: Path, path: Path) -> tuple[dict[int, Path], Path | None]:
    """Return the folders of bins and of cells."""
    outs = [root, *_folders(root, OUTS)]
    places = outs + [binned for place in outs for binned in _folders(place, BINNED)]
    levels: dict[int, Path] = {}
    for folder in (level for place in places for level in _folders(place, LEVEL)):
        bin_um = int(folder.name[-5:-2])
        if bin_um in levels:
            raise _unrecognised(path, f"it holds bins of {bin_um} um twice, in {levels[bin_um]} and {folder}", ONE)
        levels[bin_um] = folder
    cells = [found for place in outs for found in _folders(place, CELLS)]
    if len(cells) > 1:
        raise _unrecognised(path, f"it holds cells twice, in {cells[0]} and {cells[1]}", ONE)
    return levels, cells[0] if cells else None


def _folders(place: Path, kind: re.Pattern[str]) -> Iterator[Path]:
    return (path for path in sorted(place.iterdir()) if kind.fullmatch(path.name) and path.is_dir())


def _stated_um(folder: Path) -> int | None:
    """Return the bin size that the files of a folder of any name state; None if they are of no bins."""
    try:
        scales, positions = find_file(folder, *SCALES), find_file(folder, POSITIONS)
        stated = read_scalefactors(scales).bin_um if scales else None
        return int(stated) if stated else named_um(positions) if positions else None
    except GeometryError:
        return None


def _unrecognised(path: Path, reason: str, hint: str = "choose another reader with --reader") -> UnrecognisedSection:
    return UnrecognisedSection(f"{path} is no Visium HD section: {reason}", hint=hint)
