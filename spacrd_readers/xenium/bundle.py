"""Where the files of a Xenium bundle are, given its folder, its ``experiment.xenium`` or the folder above.

::

    outs/experiment.xenium   outs/cells.parquet   outs/cell_feature_matrix.h5       as the instrument writes them
    <id>_experiment.xenium   <id>_cells.csv.gz    <id>_cell_feature_matrix.h5       as they are downloaded
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile, UnrecognisedSection

if TYPE_CHECKING:
    from pathlib import Path

EXPERIMENT = "experiment.xenium"
CELLS = ("cells.parquet", "cells.csv.gz", "cells.csv")
MATRICES = (
    "cell_feature_matrix.h5",
    "cell_feature_matrix.zarr.zip",
    "cell_feature_matrix.zarr",
    "cell_feature_matrix",
)
UNPACK = "copy it from the bundle, or unpack it where the bundle holds it as an archive (.tar.gz, outs.zip)"


@dataclass(frozen=True)
class BundleFiles:
    """The files of one bundle that are always read."""

    experiment: Path
    cells: Path
    matrix: Path

    @property
    def folder(self) -> Path:
        """The folder they are in."""
        return self.experiment.parent

    @property
    def prefix(self) -> str:
        """What stands before the names of its files: ``<id>_`` where they were downloaded, or ''."""
        return self.experiment.name.removesuffix(EXPERIMENT)


def why_no_bundle(path: Path) -> str:
    """Return why a path is not one Xenium bundle; '' when it is, as far as names show."""
    if not path.exists():
        return f"{path} does not exist"
    found = _experiments(path)
    if len(found) == 1:
        return ""
    if found:
        names = ", ".join(str(file.relative_to(path)) for file in found[:3]) + (", ..." if len(found) > 3 else "")
        return f"the folder holds {len(found)} Xenium bundles ({names}), not one: give one of them"
    if path.is_dir():
        return f"neither the folder nor an 'outs' folder in it holds {EXPERIMENT}"
    return f"its name does not end in {EXPERIMENT}"


def find_bundle(path: Path) -> BundleFiles:
    """Return the files of the bundle at a path.

    Raises
    ------
    UnrecognisedSection
        If the path is not one bundle.
    MissingFile
        If its cells or its matrix are not there.
    """
    if reason := why_no_bundle(path):
        raise UnrecognisedSection(f"{path} is no Xenium bundle: {reason}", hint="give the folder of one bundle")
    experiment = _experiments(path)[0]
    return BundleFiles(experiment, _beside(experiment, "cells", CELLS), _beside(experiment, "matrix", MATRICES))


def _experiments(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if _is_experiment(path) else []
    for pattern in (f"*{EXPERIMENT}", f"*outs/*{EXPERIMENT}"):
        if found := sorted(file for file in path.glob(pattern) if _is_experiment(file)):
            return found
    return []


def _is_experiment(path: Path) -> bool:
    return path.name.endswith(EXPERIMENT) and not path.name.startswith(".")


def _beside(experiment: Path, role: str, names: tuple[str, ...]) -> Path:
    """Return the first of some files beside ``experiment.xenium``, with its prefix or without."""
    prefix = experiment.name.removesuffix(EXPERIMENT)
    places = [experiment.with_name(start + name) for start in dict.fromkeys((prefix, "")) for name in names]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        wanted = ", ".join(prefix + name for name in names)
        raise MissingFile(f"{experiment.parent} has no {role} of the bundle: none of {wanted}", hint=UNPACK)
    return found
