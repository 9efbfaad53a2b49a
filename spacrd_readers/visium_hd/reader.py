"""Visium HD (10x Genomics, Space Ranger 3 and 4): bins of 2 um and more, or segmented cells, summed into squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveInt

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Recognition, Section, Source
from spacrd_readers.visium_hd.bin_level import read_bin_level
from spacrd_readers.visium_hd.bins import count_bins
from spacrd_readers.visium_hd.bundle import find_bundle, rejection_reason
from spacrd_readers.visium_hd.cells import count_cells
from spacrd_readers.visium_hd.grid import bins_per_side, make_squares
from spacrd_readers.visium_hd.slide import find_hd_slide

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_readers.visium_hd.bundle import Bundle
    from spacrd_readers.visium_hd.counts import SpotCounts


# A quarter of a 56 um square is a third of the area of a Visium spot: less tissue gives too few counts for a decision.
# Spots above it are kept because tumours invade at the edge of the tissue; `tissue_coverage` marks partial spots.
MIN_COVERAGE = 0.25


class VisiumHd:
    """Reads a Visium HD run, its ``outs``, or one folder of bins or cells, into square spots.

    The default is 8 um bins: along the edge of the tissue they include squares that a 2 um matrix omits.
    """

    class Options(ComponentOptions):
        """The units to sum, and the spots to sum them into."""

        unit: Literal["bin", "cell"] = Field("bin", description="Units to sum: bins, or segmented cells.")
        bin_um: PositiveInt | None = Field(
            None, description="Size of the bins to sum, in um (default: 8, or the only size there is)."
        )
        spot_um: PositiveInt = Field(56, description="Side of a spot, in um; a multiple of the bin size.")
        min_coverage: float = Field(
            MIN_COVERAGE, ge=0, le=1, description="Minimum share of a spot's bins in tissue; other spots are left out."
        )
        genome: str = Field("", description="Genome to read, if the matrix has several.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Recognition:
        """Return whether a path is a folder of Visium HD, by names and scale factors."""
        reason = rejection_reason(path)
        return Recognition(not reason, reason)

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return the section of a run.

        Raises
        ------
        InputError
            If a file is missing or broken, or the files are from different sections.
        ConfigError
            If the spot size is not a multiple of the bin size.
        """
        if inputs.alignment:
            raise GeometryError(
                "Visium HD sections take no alignment: their positions are px of Space Ranger's input image",
                hint="omit --alignment",
            )
        bundle = find_bundle(path)
        counted = self._count(bundle, inputs)
        obs, scale = counted.counts.obs, counted.um_per_px
        obs["x_um"], obs["y_um"] = obs["x_px"] * scale, obs["y_px"] * scale
        slide, slide_notes = find_hd_slide(counted, bundle, inputs)
        files = [*counted.files, *(("scalefactors", spatial.path) for spatial in counted.spatial)]
        files += [("image", slide.path)] if slide else []
        return Section(
            platform="visium_hd",
            counts=counted.counts,
            um_per_px=scale,
            spot_um=float(self.options.spot_um),
            spot_shape="square",
            pitch_um=float(self.options.spot_um),
            slide=slide,
            sources=tuple(Source.from_path(role, file) for role, file in files),
            notes=(*counted.notes, *slide_notes),
            sub_spots=counted.sub_spots,
        )

    def _count(self, bundle: Bundle, inputs: ImageInputs) -> SpotCounts:
        options = self.options
        if options.unit == "cell":
            return count_cells(bundle, inputs, spot_um=options.spot_um, genome=options.genome)
        bin_um = bundle.select_bin_um(options.bin_um)
        side = bins_per_side(options.spot_um, bin_um)
        level = read_bin_level(bundle, bin_um)
        squares = make_squares(level.array.in_tissue, side, spot_um=options.spot_um, min_coverage=options.min_coverage)
        return count_bins(level, squares, inputs, options.genome)
