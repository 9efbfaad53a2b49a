"""The stored image against which the image that the user gives is checked: they must lie alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError
from spacrd_core.images.orientation import refuse_exchanged_sides
from spacrd_core.section.section import SlideFile
from spacrd_readers.anndata.pixels import read_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.picture import Picture


def reference_pictures(file: AnnDataFile, picture: Picture | None, um_per_px: float) -> tuple[SlideFile, ...]:
    """Return a stored image of known scale as a picture to compare with; none if there is none in colour."""
    if picture is None or not picture.scale:
        return ()
    try:
        pixels = read_pixels(file, picture)
    except ImageError:
        return ()
    return (SlideFile(file.path, um_per_px / picture.scale, picture.scale, pixels, preview=True),)


def refuse_turned_sides(image: Path, pictures: tuple[SlideFile, ...]) -> None:
    """Refuse an image that fits the stored one turned by 90 degrees.

    Raises
    ------
    GeometryError
        If it does; the message says which turn fits.
    """
    if image.is_file():
        refuse_exchanged_sides(SlideFile(image, um_per_px=1.0, pictures=pictures))
