"""Visium HD (10x Genomics, Space Ranger 3 and 4): bins of 2 um and more, or segmented cells, summed into squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveInt

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError
from spacrd_core.section.section import Given, Section, Source, Verdict
from spacrd_readers.visium_hd.bin_level import read_level
from spacrd_readers.visium_hd.bins import count_bins
from spacrd_readers.visium_hd.bundle import find_bundle, why_no_bundle
from spacrd_readers.visium_hd.cells import count_cells
from spacrd_readers.visium_hd.grid import bins_a_side, make_squares
from spacrd_readers.visium_hd.slide import find_hd_slide

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_readers.visium_hd.bundle import Bundle
    from spacrd_readers.visium_hd.counts import Counted


# A quarter of a 56 um square is a third of the area of a Visium spot: less tissue gives too few counts to judge by.
# Spots above it are kept, for the edge of tissue is where tumours invade; `tissue_coverage` tells them from whole ones.
MIN_COVERAGE = 0.25


class VisiumHd:
    """Reads a Visium HD run, its ``outs``, or one folder of bins or cells, into square spots.

    Bins of 8 um are the usual source: a matrix of 2 um lacks the squares out of tissue that bins along its edge have.
    """

    class Options(ComponentOptions):
        """What is summed, and into how large a spot."""

        unit: Literal["bin", "cell"] = Field("bin", description="What is summed: bins, or segmented cells.")
        bin_um: PositiveInt | None = Field(None, description="Bins to sum, in um (default: 8, or the only ones).")
        spot_um: PositiveInt = Field(56, description="Side of a spot, in um: a multiple of the bins'.")
        min_coverage: float = Field(
            MIN_COVERAGE, ge=0, le=1, description="Spots with a smaller share of their bins in tissue are left out."
        )
        genome: str = Field("", description="The genome to keep, where the matrix has several.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Verdict:
        """Return whether a path is a folder of Visium HD, by names and what scale factors state."""
        reason = why_no_bundle(path)
        return Verdict(not reason, reason)

    def read(self, path: Path, given: Given) -> Section:
        """Return the section of a run.

        Raises
        ------
        InputError
            If a file is missing, broken, or does not belong to the others.
        ConfigError
            If bins cannot fill spots of the size.
        """
        if given.alignment:
            raise GeometryError(
                "Visium HD takes no alignment: its positions are px of the image Space Ranger was given",
                hint="leave --alignment out",
            )
        bundle = find_bundle(path)
        counted = self._count(bundle, given)
        obs, scale = counted.counts.obs, counted.um_per_px
        obs["x_um"], obs["y_um"] = obs["x_px"] * scale, obs["y_px"] * scale
        slide, of_slide = find_hd_slide(counted, bundle, given)
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
            sources=tuple(Source.of(role, file) for role, file in files),
            notes=(*counted.notes, *of_slide),
            units=counted.units,
        )

    def _count(self, bundle: Bundle, given: Given) -> Counted:
        options = self.options
        if options.unit == "cell":
            return count_cells(bundle, given, spot_um=options.spot_um, genome=options.genome)
        bin_um = bundle.choose(options.bin_um)
        side = bins_a_side(options.spot_um, bin_um)
        level = read_level(bundle, bin_um)
        squares = make_squares(level.array.in_tissue, side, spot_um=options.spot_um, min_coverage=options.min_coverage)
        return count_bins(level, squares, given, options.genome)
