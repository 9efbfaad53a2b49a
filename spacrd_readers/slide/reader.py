"""A slide alone: square spots on the tissue of an H&E image, without genes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from spacrd_core.cards import ComponentOptions
from spacrd_core.errors import GeometryError, InputError, UnrecognisedSection
from spacrd_core.images.formats import choose_backend
from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.images.raster import image_size, open_raster
from spacrd_core.section.section import ImageInputs, Recognition, Section, SlideFile, Source
from spacrd_core.slide.pyramid import overview
from spacrd_core.slide.tissue import TISSUE_UM_PER_PX
from spacrd_readers._base import CHOOSE_READER, UM_PER_PX_TOLERANCE
from spacrd_readers.slide.grid import grid_on_tissue

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array

MIN_SPOT_PX = 2.0  # a coarser image than this shows nothing of a spot
ALONE_NOTE = "a slide alone, without genes"


class Slide:
    """Reads an H&E image in any format that images are read in."""

    class Options(ComponentOptions):
        """The grid of spots."""

        pitch_um: float = Field(
            100.0, gt=0, allow_inf_nan=False, description="Width of the square spots, and distance between them, in um."
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    def recognises(self, path: Path) -> Recognition:
        """Return whether a path is an image, by its content."""
        if not path.is_file():
            return Recognition(recognised=False, reason="it is not an image file")
        try:
            choose_backend(path)
        except InputError as error:
            return Recognition(recognised=False, reason=str(error))
        return Recognition(recognised=True)

    def read(self, path: Path, inputs: ImageInputs) -> Section:
        """Return spots on the tissue of a slide.

        Raises
        ------
        InputError
            If the image cannot be read, its um/px is unknown, or it shows no tissue.
        """
        if not (recognition := self.recognises(path)):
            raise UnrecognisedSection(f"{path} is not a slide: {recognition.reason}", hint=CHOOSE_READER)
        _require_nothing_beside(path, inputs)
        um_per_px, notes = _um_per_px(path, inputs)
        self._require_resolution(path, um_per_px)
        with open_raster(path) as raster:
            coarse = overview(raster, um_per_px, TISSUE_UM_PER_PX)
        grid, inked = grid_on_tissue(coarse, self.options.pitch_um)
        if not len(grid):
            width, height = image_size(path)
            raise InputError(
                f"no tissue was found on {path} ({width} x {height} px of {um_per_px:.4g} um)",
                hint="check that it is an H&E image, and its resolution: --um-per-px X",
            )
        if inked:
            notes = (*notes, f"squares under pen marks, left out: {inked}")
        return Section(
            platform="slide",
            counts=_without_genes(grid, self.options.pitch_um, um_per_px),
            um_per_px=um_per_px,
            spot_um=self.options.pitch_um,
            spot_shape="square",
            pitch_um=self.options.pitch_um,
            slide=SlideFile(path, um_per_px),
            sources=(Source.from_path("image", path),),
            notes=(*notes, ALONE_NOTE),
        )

    def _require_resolution(self, path: Path, um_per_px: float) -> None:
        if self.options.pitch_um < MIN_SPOT_PX * um_per_px:
            raise GeometryError(
                f"{path} has {um_per_px:.4g} um/px, so that spots of {self.options.pitch_um:g} um are less than "
                f"{MIN_SPOT_PX:g} px",
                hint="give a finer image, or wider spots: --set reader.pitch_um=X",
            )


def _require_nothing_beside(path: Path, inputs: ImageInputs) -> None:
    """Refuse options that have no meaning for a slide that is itself the section."""
    given = {
        "--image": inputs.image is not None,
        "--alignment": inputs.alignment is not None,
        "--image-scale": inputs.image_scale is not None,
        "--no-image": not inputs.with_image,
    }
    if wrong := [name for name, is_given in given.items() if is_given]:
        raise GeometryError(
            f"{path} is read as a slide alone, to which {' and '.join(wrong)} does not apply",
            hint="give the run or its counts as PATH if the slide belongs to one",
        )


def _um_per_px(path: Path, inputs: ImageInputs) -> tuple[float, tuple[str, ...]]:
    """Return the given um/px, or that of the metadata, and notes."""
    metadata = image_um_per_px(path)
    um_per_px = inputs.um_per_px or metadata
    if um_per_px is None:
        raise GeometryError(
            f"{path} does not state its resolution", hint="use --um-per-px X; 40x scans have about 0.25, 20x about 0.5"
        )
    if inputs.um_per_px and metadata and abs(metadata / inputs.um_per_px - 1) > UM_PER_PX_TOLERANCE:
        return um_per_px, (
            f"the metadata of {path.name} give {metadata:.4g} um/px, {um_per_px:.4g} was given and used",
        )
    return um_per_px, ()


def _without_genes(grid: Array, pitch_um: float, um_per_px: float) -> ad.AnnData:
    """Return counts without genes, with the positions of the spots in ``obs``."""
    um = (grid + 0.5) * pitch_um
    obs = pd.DataFrame(
        {
            "x_px": um[:, 0] / um_per_px,
            "y_px": um[:, 1] / um_per_px,
            "x_um": um[:, 0],
            "y_um": um[:, 1],
            "array_x": grid[:, 0].astype(float),
            "array_y": grid[:, 1].astype(float),
        },
        index=pd.Index([f"{column}x{row}" for column, row in grid.tolist()]),
    )
    no_genes = pd.DataFrame({"symbol": [], "gene_id": []}, index=pd.Index([], dtype=str), dtype=object)
    return ad.AnnData(X=sparse.csr_matrix((len(grid), 0), dtype=np.int32), obs=obs, var=no_genes)
