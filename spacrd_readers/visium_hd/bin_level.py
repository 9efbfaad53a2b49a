"""The bins of one size of a Visium HD section: their matrix, positions and um/px."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import lattice_um_per_px
from spacrd_readers.visium_hd.array import read_array
from spacrd_readers.visium_hd.files import need_file
from spacrd_readers.visium_hd.positions import POSITION_FILES
from spacrd_readers.visium_hd.spatial import read_spatial, um_per_px

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs
    from spacrd_readers.visium_hd.array import BinArray
    from spacrd_readers.visium_hd.bundle import Bundle
    from spacrd_readers.visium_hd.spatial import SpatialFolder

FILTERED = ("filtered_feature_bc_matrix.h5", "filtered_feature_bc_matrix")
RAW = ("raw_feature_bc_matrix.h5", "raw_feature_bc_matrix")


@dataclass(frozen=True, eq=False)
class BinLevel:
    """The bins of one size."""

    bin_um: int
    matrix: Path
    positions: Path
    array: BinArray
    spatial: tuple[SpatialFolder, ...]

    @property
    def raw(self) -> bool:
        """Whether the matrix also holds bins out of tissue."""
        return self.matrix.name.endswith(RAW)

    def um_per_px(self, inputs: ImageInputs) -> tuple[float, tuple[str, ...]]:
        """Return um/px from the steps of the array, or as given, and a note if the scale factors disagree."""
        fitted = lattice_um_per_px(self.array.to_px, step_um=(self.bin_um, self.bin_um))
        return um_per_px(fitted, f"the array of {self.bin_um} um bins", self.spatial, inputs)


def read_bin_level(bundle: Bundle, bin_um: int) -> BinLevel:
    """Return the bins of one size.

    Raises
    ------
    InputError
        If a file is missing, or has bins of another size.
    """
    folder = bundle.levels[bin_um]
    positions = need_file(folder, "positions", *POSITION_FILES)
    matrix = need_file(folder, "matrix", *FILTERED, *RAW)
    spatial = read_spatial([folder])
    array = read_array(positions)
    stated = [(positions, array.um), *((s.path, s.factors.bin_um) for s in spatial)]
    for path, um in stated:
        if um is not None and um != bin_um:
            raise GeometryError(
                f"{path} has bins of {um:g} um, not of {bin_um} um", hint=f"copy the files of {folder} again"
            )
    return BinLevel(bin_um, matrix, positions, array, spatial)
