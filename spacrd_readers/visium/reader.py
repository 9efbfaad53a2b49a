"""Visium (10x Genomics, Space Ranger 1 to 4): discs of 55 um on a hexagonal lattice of 100 um."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd
from pydantic import Field

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Recognition, Section, SlideFile, Source
from spacrd_readers.tenx.genes import genes_of
from spacrd_readers.tenx.image_frame import ImageFrame
from spacrd_readers.tenx.images import find_slide
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.sums import sum_counts
from spacrd_readers.visium.barcodes import join_spots
from spacrd_readers.visium.files import VisiumFiles, find_files, rejection_reason
from spacrd_readers.visium.lattice import PITCH_UM, measure_scale
from spacrd_readers.visium.matrices import HD_BARCODE, HD_REASON
from spacrd_readers.visium.positions import Positions, read_positions
from spacrd_readers.visium.swapped_axes import refuse_swapped_axes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPOT_UM = 55.0


class Visium:
    """Reads a Space Ranger run, or downloaded or deposited files of one."""

    class Options(ComponentOptions):
        """The genome to read, and where to find the positions."""

        genome: str = Field("", description="Genome to read, if the matrix has several.")
        spatial: Path | None = Field(
            None, description="Folder with the positions, scale factors and images, if it is not beside the matrix."
        )
        round_counts: bool = Field(
            False, description="Round counts with decimals, which tools like SpotClean and SoupX write."
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Recognition:
        """Return whether a path is the run, folder or matrix of one section, by names and scale factors only."""
        reason = rejection_reason(path, self.options.spatial)
        return Recognition(not reason, reason)

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return the section at a path.

        Raises
        ------
        InputError
            If a file is missing or broken, or the files are from different sections.
        """
        if inputs.alignment:
            raise GeometryError(
                "Visium sections take no alignment: their positions are px of the image", hint="omit --alignment"
            )
        files = find_files(path, self.options.spatial)
        positions = read_positions(files.positions)
        if HD_BARCODE.match(positions.barcodes[0].decode()):
            raise UnrecognisedSection(f"{path} is not a Visium section: {HD_REASON}", hint="use --reader visium_hd")
        scale = measure_scale(positions, inputs.um_per_px)
        counts, count_notes = self._counts(files, positions)
        obs = counts.obs
        obs[["x_um", "y_um"]] = obs[["x_px", "y_px"]] * scale.um_per_px
        frame = ImageFrame(
            obs[["x_px", "y_px"]].to_numpy(), scale.um_per_px, files.factors, files.positions.parent, files.prefix
        )
        if scale.mirrored:
            refuse_swapped_axes(positions, frame)
        slide, slide_notes = find_slide(frame, files.folders, inputs)
        return Section(
            platform="visium",
            counts=counts,
            um_per_px=scale.um_per_px,
            spot_um=SPOT_UM,
            spot_shape="disc",
            pitch_um=PITCH_UM,
            slide=slide,
            sources=_sources(files, slide),
            notes=(*files.notes, *count_notes, *scale.notes, *slide_notes),
        )

    def _counts(self, files: VisiumFiles, positions: Positions) -> tuple[ad.AnnData, tuple[str, ...]]:
        """Return the counts of the spots in tissue, in the order of the matrix, and notes."""
        with open_matrix(files.matrix) as matrix:
            genes = genes_of(matrix, self.options.genome)
            joined = join_spots(matrix.barcodes, positions, files.matrix, raw=files.raw)
            rounding = self.options.round_counts
            counts = sum_counts(matrix, joined.groups, len(joined.ids), genes, round_counts=rounding)
        table = ad.AnnData(counts, obs=_position_table(positions, joined.rows, joined.ids), var=genes.var)
        if len(joined.order) != len(joined.ids) and not files.raw:
            table.uns["counts_order"] = joined.order  # label vectors without spot names include these rows
        rounded = ("counts with decimals were rounded, as requested",) if self.options.round_counts else ()
        return table, (*genes.notes, *joined.notes, *rounded)


def _position_table(positions: Positions, rows: NDArray[np.int64], ids: pd.Index[str]) -> pd.DataFrame:
    array, px = positions.array[rows], positions.px[rows]
    columns = {"array_x": array[:, 0], "array_y": array[:, 1], "x_px": px[:, 0], "y_px": px[:, 1]}
    return pd.DataFrame(columns, index=ids)


def _sources(files: VisiumFiles, slide: SlideFile | None) -> tuple[Source, ...]:
    roles = [("counts", files.matrix), ("positions", files.positions)]
    roles += [("scalefactors", files.scalefactors)] if files.scalefactors else []
    roles += [("image", slide.path)] if slide else []
    return tuple(Source.from_path(role, path) for role, path in roles)
