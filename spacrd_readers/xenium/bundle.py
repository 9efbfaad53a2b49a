"""Find the files of a Xenium bundle from its folder, its ``experiment.xenium`` or the folder above.

::

    outs/experiment.xenium   outs/cells.parquet   outs/cell_feature_matrix.h5       written by the instrument
    <id>_experiment.xenium   <id>_cells.csv.gz    <id>_cell_feature_matrix.h5       downloads
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile, UnrecognisedSection
from spacrd_readers._base import first_names

if TYPE_CHECKING:
    from pathlib import Path

EXPERIMENT = "experiment.xenium"
CELL_FILES = ("cells.parquet", "cells.csv.gz", "cells.csv")
MATRIX_FILES = (
    "cell_feature_matrix.h5",
    "cell_feature_matrix.zarr.zip",
    "cell_feature_matrix.zarr",
    "cell_feature_matrix",
)
UNPACK = "copy it from the bundle, or unpack its archive (.tar.gz, outs.zip)"


@dataclass(frozen=True)
class BundleFiles:
    """The required files of one bundle."""

    experiment: Path
    cells: Path
    matrix: Path

    @property
    def folder(self) -> Path:
        """The folder of the bundle."""
        return self.experiment.parent

    @property
    def prefix(self) -> str:
        """The prefix of its file names: ``<id>_`` in downloads, or ''."""
        return self.experiment.name.removesuffix(EXPERIMENT)


def rejection_reason(path: Path) -> str:
    """Return why a path is not one Xenium bundle; '' if it looks like one by names."""
    if not path.exists():
        return f"{path} does not exist"
    experiments = _experiments(path)
    if len(experiments) == 1:
        return ""
    if experiments:
        names = first_names([str(file.relative_to(path)) for file in experiments], 3)
        return f"the folder holds {len(experiments)} Xenium bundles ({names}): give the path of one"
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
        If its cells or its matrix are missing.
    """
    if reason := rejection_reason(path):
        raise UnrecognisedSection(f"{path} is not a Xenium bundle: {reason}", hint="give the folder of one bundle")
    experiment = _experiments(path)[0]
    return BundleFiles(
        experiment, _find_beside(experiment, "cells", CELL_FILES), _find_beside(experiment, "matrix", MATRIX_FILES)
    )


def _experiments(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if _is_experiment(path) else []
    for pattern in (f"*{EXPERIMENT}", f"*outs/*{EXPERIMENT}"):
        if experiments := sorted(file for file in path.glob(pattern) if _is_experiment(file)):
            return experiments
    return []


def _is_experiment(path: Path) -> bool:
    return path.name.endswith(EXPERIMENT) and not path.name.startswith(".")


def _find_beside(experiment: Path, role: str, names: tuple[str, ...]) -> Path:
    """Return the first file of a list of names beside ``experiment.xenium``, with or without its prefix."""
    prefix = experiment.name.removesuffix(EXPERIMENT)
    candidates = [experiment.with_name(start + name) for start in dict.fromkeys((prefix, "")) for name in names]
    file = next((path for path in candidates if path.exists()), None)
    if file is None:
        expected = ", ".join(prefix + name for name in names)
        raise MissingFile(f"{experiment.parent} has no {role} of the bundle: none of {expected}", hint=UNPACK)
    return file
