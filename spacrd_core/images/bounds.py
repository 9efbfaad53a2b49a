"""The part of a scanner's slide that was scanned, to which viewers crop it: QuPath shows and exports its px.

Only some formats have one: SCN and MRXS, in which one frame surrounds all scanned areas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spacrd_core.images.formats import choose_backend
from spacrd_core.images.openslide import openslide_properties, openslide_size

if TYPE_CHECKING:
    from spacrd_core.section.section import SlideFile


class Bounds(NamedTuple):
    """The scanned part of a slide, in px of its whole frame."""

    left: float
    top: float
    width: float
    height: float


def viewer_bounds(slide: SlideFile) -> Bounds | None:
    """Return the part of a slide that viewers show; None if they show all of it, or users view another image.

    Raises
    ------
    ImageError
        If the file cannot be read.
    """
    if slide.preview or slide.pixels is not None or not slide.path.is_file():
        return None
    if choose_backend(slide.path) != "openslide":
        return None
    properties = openslide_properties(slide.path)
    names = (f"openslide.bounds-{name}" for name in ("x", "y", "width", "height"))
    values = [float(properties.get(name, 0)) for name in names]
    bounds = Bounds(*values)
    if not (bounds.width and bounds.height) or bounds == (0.0, 0.0, *openslide_size(slide.path)):
        return None
    return bounds
