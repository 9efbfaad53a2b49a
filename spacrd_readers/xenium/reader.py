"""Xenium (10x Genomics, XOA 1 to 4): cells in um, summed into square spots or read as single-cell spots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveFloat

from spacrd_core.cards import ComponentOptions
from spacrd_core.section.section import ImageInputs, Recognition, Section, Source
from spacrd_readers.tenx.cell_spots import CellSpots, single_cell_spots, square_spots
from spacrd_readers.xenium.bundle import BundleFiles, find_bundle, rejection_reason
from spacrd_readers.xenium.cells import Cells, read_cells
from spacrd_readers.xenium.counts import count_spots
from spacrd_readers.xenium.experiment import read_experiment
from spacrd_readers.xenium.he_image import HeFiles, UnalignedHe, find_he
from spacrd_readers.xenium.slide import Frame, he_frame, morphology_frame

if TYPE_CHECKING:
    from pathlib import Path

NO_HE = "no H&E was found; give one with --image FILE and --alignment FILE, or --align auto"


class Xenium:
    """Reads a Xenium bundle, and the H&E image made of the same section afterwards."""

    class Options(ComponentOptions):
        """How spots are made from cells."""

        unit: Literal["spot", "cell"] = Field(
            "spot", description="What a spot is: a square that sums cells (spot), or a single cell (cell)."
        )
        spot_um: PositiveFloat = Field(100.0, description="Side of a square spot, in um.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Recognition:
        """Return whether a path is the folder or the ``experiment.xenium`` of one bundle, by names only."""
        reason = rejection_reason(path)
        return Recognition(not reason, reason)

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return the section of a bundle.

        Raises
        ------
        InputError
            If a file is missing or broken, or the files are from different sections.
        """
        files = find_bundle(path)
        experiment = read_experiment(files.experiment, inputs.um_per_px)
        he = find_he(files, inputs)
        cells = read_cells(files.cells)
        he, frame = _frame(he, experiment.pixel_size, cells, inputs)
        counted = count_spots(cells, files.matrix, self._spots)
        obs = counted.counts.obs
        obs[["x_px", "y_px"]] = frame.to_px(obs[["x_um", "y_um"]].to_numpy())
        image_notes = (NO_HE,) if inputs.with_image and not he else ()
        return Section(
            platform="xenium",
            counts=counted.counts,
            um_per_px=frame.um_per_px,
            spot_um=counted.spots.spot_um,
            spot_shape=counted.spots.shape,
            pitch_um=counted.spots.pitch_um,
            slide=frame.slide,
            sources=_sources(files, he),
            notes=(*experiment.notes, *cells.notes, *counted.notes, *frame.notes, *image_notes),
            sub_spots=counted.sub_spots,
        )

    def _spots(self, cells: Cells) -> CellSpots:
        if self.options.unit == "cell":
            return single_cell_spots(cells.xy_um, cells.ids, cells.areas)
        return square_spots(cells.xy_um, self.options.spot_um)


def _frame(
    he: HeFiles | UnalignedHe | None, pixel_size: float, cells: Cells, inputs: ImageInputs
) -> tuple[HeFiles | None, Frame]:
    """Return the aligned H&E, and the px frame of the section."""
    if he is None:
        return None, morphology_frame(pixel_size)
    if isinstance(he, UnalignedHe):
        from spacrd_readers.xenium.automatic import align_automatically  # noqa: PLC0415 - heavy, and rarely used

        return align_automatically(he.image, cells, pixel_size, inputs)
    return he, he_frame(he, pixel_size, cells.xy_um, inputs.image_scale)


def _sources(files: BundleFiles, he: HeFiles | None) -> tuple[Source, ...]:
    roles = [("counts", files.matrix), ("cells", files.cells), ("experiment", files.experiment)]
    if he:
        roles += [("image", he.image), ("alignment", he.alignment)]
    return tuple(Source.from_path(role, path) for role, path in roles)
