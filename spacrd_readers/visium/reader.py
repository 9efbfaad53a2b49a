"""Visium (10x Genomics, Space Ranger 1 to 4): discs of 55 um on a hexagonal lattice of 100 um."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd
from pydantic import Field

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError, UnrecognisedSection
from spacrd_core.section.section import Given, Section, SlideFile, Source, Verdict
from spacrd_readers.tenx.genes import choose_genes
from spacrd_readers.tenx.image_frame import ImageFrame
from spacrd_readers.tenx.images import find_slide
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.sums import sum_counts
from spacrd_readers.visium.barcodes import join_spots
from spacrd_readers.visium.files import HD, VisiumFiles, find_files, why_not_visium
from spacrd_readers.visium.lattice import PITCH_UM, scale_of
from spacrd_readers.visium.positions import Positions, read_positions
from spacrd_readers.visium.swapped_axes import refuse_exchanged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPOT_UM = 55.0
HD_BIN = re.compile(rb"s_\d{3}um_")  # barcodes of bins name their place: s_008um_00301_00321-1


class Visium:
    """Reads a run of Space Ranger, or what was downloaded or deposited of one."""

    class Options(ComponentOptions):
        """Where to look, and which of several genomes."""

        genome: str = Field("", description="Genome whose genes are taken, where the matrix has several.")
        spatial: Path | None = Field(
            None, description="Folder with the positions, scale factors and images, where it is not beside the matrix."
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Verdict:
        """Return whether a path is one section's run, folder or matrix, by names and scale factors alone."""
        reason = why_not_visium(path, self.options.spatial)
        return Verdict(not reason, reason)

    def read(self, path: Path, given: Given) -> Section:
        """Return the section at a path.

        Raises
        ------
        InputError
            If a file is missing, broken, or does not belong to the others.
        """
        if given.alignment:
            raise GeometryError(
                "Visium sections take no alignment: their positions are px of the image", hint="leave --alignment out"
            )
        files = find_files(path, self.options.spatial)
        positions = read_positions(files.positions)
        if HD_BIN.match(positions.barcodes[0]):
            raise UnrecognisedSection(f"{path} is no Visium section: {HD}", hint="--reader visium_hd")
        scale = scale_of(positions, given.um_per_px)
        counts, of_counts = self._counts(files, positions)
        obs = counts.obs
        obs[["x_um", "y_um"]] = obs[["x_px", "y_px"]] * scale.um_per_px
        frame = ImageFrame(
            obs[["x_px", "y_px"]].to_numpy(), scale.um_per_px, files.factors, files.positions.parent, files.start
        )
        if scale.mirrored:
            refuse_exchanged(positions, frame)
        slide, of_slide = find_slide(frame, files.folders, given)
        return Section(
            platform="visium",
            counts=counts,
            um_per_px=scale.um_per_px,
            spot_um=SPOT_UM,
            spot_shape="disc",
            pitch_um=PITCH_UM,
            slide=slide,
            sources=_sources(files, slide),
            notes=(*files.notes, *of_counts, *scale.notes, *of_slide),
        )

    def _counts(self, files: VisiumFiles, positions: Positions) -> tuple[ad.AnnData, tuple[str, ...]]:
        """Return the counts of the spots in tissue, in the order of the matrix, and what the user should know."""
        with open_matrix(files.matrix) as matrix:
            genes = choose_genes(matrix.features, self.options.genome, files.matrix)
            joined = join_spots(matrix.barcodes, positions, files.matrix, raw=files.raw)
            counts = sum_counts(matrix, joined.groups, len(joined.ids), genes)
        table = ad.AnnData(counts, obs=_placed(positions, joined.rows, joined.ids), var=genes.var)
        if len(joined.order) != len(joined.ids) and not files.raw:
            table.uns["counts_order"] = joined.order  # bare label vectors count these rows too
        return table, (*genes.notes, *joined.notes)


def _placed(positions: Positions, rows: NDArray[np.int64], ids: pd.Index[str]) -> pd.DataFrame:
    array, px = positions.array[rows], positions.px[rows]
    places = {"array_x": array[:, 0], "array_y": array[:, 1], "x_px": px[:, 0], "y_px": px[:, 1]}
    return pd.DataFrame(places, index=ids)


def _sources(files: VisiumFiles, slide: SlideFile | None) -> tuple[Source, ...]:
    roles = [("counts", files.matrix), ("positions", files.positions)]
    roles += [("scalefactors", files.scalefactors)] if files.scalefactors else []
    roles += [("image", slide.path)] if slide else []
    return tuple(Source.of(role, path) for role, path in roles)
