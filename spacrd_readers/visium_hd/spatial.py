"""The ``spatial`` folders of a Visium HD section: scale factors, pictures, and the image they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError
from spacrd_readers.tenx.image_frame import ImageFrame, fits
from spacrd_readers.tenx.images import find_slide
from spacrd_readers.tenx.scalefactors import SCALEFACTORS, Scalefactors, read_scalefactors
from spacrd_readers.visium_hd.files import SCALES, find_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section import Given, SlideFile
    from spacrd_readers.visium_hd.bundle import Bundle
    from spacrd_readers.visium_hd.counts import Counted

APART = 0.03
MICROSCOPE = "microscope_image"


@dataclass(frozen=True)
class Spatial:
    """The scale factors of one folder of bins or cells; pictures lie beside them."""

    path: Path
    factors: Scalefactors

    @property
    def prefix(self) -> str:
        """What a download puts before the names of its files."""
        return self.path.name.partition(SCALEFACTORS)[0]


def read_spatial(folders: Iterable[Path]) -> tuple[Spatial, ...]:
    """Return the scale factors of those folders that have any."""
    found = (find_file(folder, *SCALES) for folder in dict.fromkeys(folders))
    return tuple(Spatial(path, read_scalefactors(path)) for path in found if path)


def um_per_px(
    fitted: float | None, by: str, spatial: tuple[Spatial, ...], given: Given
) -> tuple[float, tuple[str, ...]]:
    """Return um/px as given, or fitted (``by`` says to what), or as scale factors state it; a note where they differ.

    Raises
    ------
    GeometryError
        If none of them tells.
    """
    stated = next(((s.factors.um_per_px, f"{s.path}") for s in spatial if s.factors.um_per_px), None)
    found = [(given.um_per_px, "what was given"), (fitted, by), stated or (None, "")]
    known = [(value, source) for value, source in found if value]
    if not known:
        names = "".join(f", and {s.path} states no microns_per_pixel" for s in spatial).removeprefix(", and ")
        raise GeometryError(f"um/px is not known: {names or 'there are no scale factors'}", hint="--um-per-px X")
    (used, source), *others = known
    return used, tuple(
        f"um/px is {used:.4g} by {source}, though {other} says {value:.4g}"
        for value, other in others
        if abs(value / used - 1) > APART
    )


def find_hd_slide(counted: Counted, bundle: Bundle, given: Given) -> tuple[SlideFile | None, tuple[str, ...]]:
    """Return the slide of some spots, and what the user should know.

    Raises
    ------
    InputError
        If the image is missing, or not the one the positions refer to.
    """
    frame = _frame(counted, bundle)
    photo = _photograph(frame, bundle) if given.with_image and not given.image else None
    if photo is None:
        return find_slide(frame, bundle.homes, given)
    return frame.slide(photo, 1.0), (f"{photo} was taken for the full-resolution image",)


def _frame(counted: Counted, bundle: Bundle) -> ImageFrame:
    px = counted.counts.obs[["x_px", "y_px"]].to_numpy()
    frames = [ImageFrame(px, counted.um_per_px, s.factors, s.path.parent, s.prefix) for s in counted.spatial]
    bare = ImageFrame(px, counted.um_per_px, Scalefactors(), bundle.root / "spatial")
    return next((frame for frame in frames if frame.previews), frames[0] if frames else bare)


def _photograph(frame: ImageFrame, bundle: Bundle) -> Path | None:
    """Return the one image of ``microscope_image`` that can be the run's, whatever it is called."""
    files = [path for home in bundle.homes for path in sorted((home / MICROSCOPE).glob("[!.]*")) if path.is_file()]
    fitting = [path for path in files if fits(path, frame)]
    return fitting[0] if len(fitting) == 1 else None
