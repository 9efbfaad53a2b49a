"""Align an H&E without an alignment to the cells of its bundle, and refuse what is not certain."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.images.metadata import image_um_per_px
from spacrd_readers._base import UM_PER_PX_TOLERANCE
from spacrd_readers.xenium.he_image import HeFiles
from spacrd_readers.xenium.registration.agreement import MAX_SHIFT_UM, TILE_UM
from spacrd_readers.xenium.registration.cell_density import count_cells
from spacrd_readers.xenium.registration.draft import write_draft
from spacrd_readers.xenium.registration.nuclear_density import read_nuclear_density
from spacrd_readers.xenium.registration.register import register
from spacrd_readers.xenium.slide import he_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.arrays import Array
    from spacrd_core.section.section import ImageInputs
    from spacrd_readers.xenium.cells import Cells
    from spacrd_readers.xenium.registration.nuclear_density import NuclearDensity
    from spacrd_readers.xenium.registration.placement import Placement
    from spacrd_readers.xenium.registration.register import Registration
    from spacrd_readers.xenium.slide import Frame

BY_HAND = "align the H&E in Xenium Explorer and give --alignment FILE; --no-image leaves the H&E out"


def align_automatically(image: Path, cells: Cells, pixel_size: float, inputs: ImageInputs) -> tuple[HeFiles, Frame]:
    """Return an H&E with a proposed alignment, which is written into ``inputs.drafts``, and its px frame.

    Raises
    ------
    GeometryError
        If the H&E may not be that of the cells, or may lie in more than one way. The best attempt is written, too.
    """
    if inputs.image_scale is not None:
        raise GeometryError(
            f"--image-scale does not apply to {image}, which is to be aligned as it is", hint="omit --image-scale"
        )
    counted = count_cells(cells.xy_um)
    he = read_nuclear_density(image)
    registration = register(he, counted)
    if registration is None:
        raise GeometryError(
            f"the H&E {image} could not be matched to the cells of {cells.path} at any position", hint=BY_HAND
        )
    matrix = to_morphology_px(registration.placement, he, pixel_size)
    drafts = inputs.drafts or Path(_drafts_of_process().name)
    folder = write_draft(drafts, matrix, (he, cells.xy_um, registration))
    if not registration.is_certain:
        raise GeometryError(
            f"the H&E {image} was not aligned with the cells of {cells.path}: {'; '.join(registration.doubts)}",
            hint=f"{folder / 'alignment.png'} shows the best attempt; if the cells are right there, give --alignment "
            f"{folder / 'alignment.csv'}; or else {BY_HAND}",
        )
    aligned = HeFiles(image, folder / "alignment.csv")
    frame = he_frame(aligned, pixel_size, cells.xy_um, 1.0)
    return aligned, replace(frame, notes=(*_notes(registration, aligned, frame.um_per_px), *frame.notes))


def to_morphology_px(placement: Placement, he: NuclearDensity, pixel_size: float) -> Array:
    """Return the 3 x 3 matrix from px of an image to morphology px."""
    to_map = np.vstack([placement.matrix, [0.0, 0.0, 1.0]]) @ np.diag([pixel_size, pixel_size, 1.0])
    to_image = np.diag([he.image_px_per_px, he.image_px_per_px, 1.0]) @ to_map
    return np.asarray(np.linalg.inv(to_image))


@cache
def _drafts_of_process() -> TemporaryDirectory[str]:
    """Return the folder for the drafts of callers who name none; it is removed when the process ends."""
    return TemporaryDirectory(prefix="alignment-")


def _notes(registration: Registration, he: HeFiles, um_per_px: float) -> Iterator[str]:
    picture = he.alignment.with_suffix(".png")
    yield (
        f"{he.image.name} was aligned automatically (--align auto): score {registration.score:.2f}: "
        f"{registration.agreeing} of {registration.tiles} tiles of {TILE_UM:g} um fit best within {MAX_SHIFT_UM:g} um "
        f"of where they are put; correlation {registration.correlation:.2f}, elsewhere at most "
        f"{max(registration.runner_up, 0):.2f}; {registration.placement.description}; check {picture}"
    )
    stated = image_um_per_px(he.image)
    if stated and abs(um_per_px / stated - 1) > UM_PER_PX_TOLERANCE:
        yield f"{he.image.name} states {stated:.4g} um/px, but its nuclei fit the cells at {um_per_px:.4g} um/px"
