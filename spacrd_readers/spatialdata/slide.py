"""Find the slide of a section: the image that the user gives, else the finest H&E of the object with its spots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import ConfigError, GeometryError, ImageError
from spacrd_core.images.sample import sample_image
from spacrd_core.images.stain import stain_error
from spacrd_core.quoting import listed, shortened
from spacrd_core.section.section import SlideFile, Source
from spacrd_readers._base import PATCH_UM
from spacrd_readers.anndata.given_image import image_scale
from spacrd_readers.anndata.picture import MAX_OUTSIDE, Picture
from spacrd_readers.spatialdata.coordinates import IDENTITY, PlaneMap, map_to, transformations
from spacrd_readers.spatialdata.library import translate_errors
from spacrd_readers.spatialdata.pixels import ImageRows, coarse_scale, finest_scale, why_not_colour

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from spacrd_core.section.section import ImageInputs

SCALE_TOLERANCE = 0.01  # relative, between the axes of an image whose sides were rounded
EQUAL_SCALES = 0.01  # relative, between the resolutions of two images
COARSE_UM_PER_PX = 2.0  # a coarser image shows no nuclei
IMAGE_OPTION = "--set reader.image=NAME"


@dataclass(frozen=True, eq=False)
class SlideFrame:
    """The px frame of a section.

    Attributes
    ----------
    to_px
        The map of the coordinate system to px.
    um_per_px
        Pixel size of the frame.
    """

    to_px: PlaneMap
    um_per_px: float
    slide: SlideFile | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Candidate:
    """An image at its finest and at a coarse scale, and the map of the finest to the coordinate system.

    ``reason`` says why it is not the slide.
    """

    name: str
    image: Any
    coarse: Any
    to_system: PlaneMap
    reason: str = ""

    def outside(self, xy: NDArray[np.float64]) -> float:
        """Return the fraction of some points of the coordinate system that it does not show."""
        px = self.to_system.inverse().apply(xy)
        return float(((px < 0) | (px > (self.image.sizes["x"], self.image.sizes["y"]))).any(axis=1).mean())


@dataclass(frozen=True, eq=False)
class SlideRequest:
    """What is asked of an object: the section's coordinate system, positions in it, um per unit, and the image."""

    path: Path
    system: str
    xy: NDArray[np.float64]
    um_per_unit: float
    inputs: ImageInputs
    image_name: str = ""


def find_slide(data: Any, request: SlideRequest) -> SlideFrame:
    """Return the frame of a section with its slide, if there is one.

    Raises
    ------
    InputError
        If the image is missing or unusable, or several images may be the slide.
    """
    plain = SlideFrame(IDENTITY, request.um_per_unit)
    if not request.inputs.with_image:
        return plain
    with translate_errors(request.path):
        candidates = [_examined(candidate, request) for candidate in _candidates(data, request.system)]
    usable = [candidate for candidate in candidates if not candidate.reason]
    if request.inputs.image:
        return _given(request.inputs.image, usable, request)
    if request.inputs.image_scale:
        raise GeometryError(
            f"--image-scale is for an image given with --image: the images of {request.path} have transformations",
            hint="omit --image-scale",
        )
    chosen = _named(candidates, request) if request.image_name else _finest(usable, request)
    left_out = [f"{candidate.name} ({candidate.reason})" for candidate in candidates if candidate.reason]
    notes = (f"images that are no H&E of this section, left out: {listed(left_out[:5])}",) if left_out else ()
    if chosen is None:
        return replace(plain, notes=("no H&E was found in the object; give one with --image FILE", *notes))
    frame = _frame(chosen, request)
    source = Source.from_path("image", request.path / "images" / chosen.name)
    return replace(frame, sources=(source,), notes=(*frame.notes, *notes))


def _candidates(data: Any, system: str) -> list[_Candidate]:
    placed = {str(name): image for name, image in data.images.items() if system in transformations(image)}
    return [
        _Candidate(name, finest_scale(image), coarse_scale(image), map_to(image, system))
        for name, image in placed.items()
    ]


def _examined(candidate: _Candidate, request: SlideRequest) -> _Candidate:
    """Return an image with the reason why it is not the slide of the section, if there is one."""
    if candidate.name == request.image_name:
        return candidate
    reason = why_not_colour(candidate.image)
    if not reason and (outside := candidate.outside(request.xy)) > MAX_OUTSIDE:
        reason = "the spots are outside it" if outside == 1 else f"it shows {1 - outside:.0%} of the spots"
    if not reason:
        looked_at = SlideFile(request.path, 1.0, pixels=ImageRows(candidate.coarse, f"the image '{candidate.name}'"))
        try:
            error = stain_error(sample_image(looked_at), "it")
        except ImageError as unreadable:
            error = unreadable
        reason = str(error) if error else ""
    return replace(candidate, reason=reason)


def _named(candidates: list[_Candidate], request: SlideRequest) -> _Candidate:
    for candidate in candidates:
        if candidate.name == request.image_name:
            if reason := why_not_colour(candidate.image):
                raise ImageError(
                    f"the image '{shortened(candidate.name)}' of {request.path} is no H&E: {reason}",
                    hint="give the H&E with --image FILE, or use --no-image",
                )
            return candidate
    names = listed(candidate.name for candidate in candidates) or "none"
    raise ConfigError(
        f"{request.path} has no image '{shortened(request.image_name)}' in the coordinate system "
        f"'{shortened(request.system)}'; its images "
        f"there: {names}",
        hint=f"use {IMAGE_OPTION}",
    )


def _finest(usable: list[_Candidate], request: SlideRequest) -> _Candidate | None:
    ranked = sorted(usable, key=lambda candidate: candidate.to_system.scale)
    best = [
        candidate for candidate in ranked if candidate.to_system.scale <= ranked[0].to_system.scale * (1 + EQUAL_SCALES)
    ]
    if len(best) > 1:
        raise ImageError(
            f"{request.path} has {len(best)} images that may be the H&E: {listed(image.name for image in best[:5])}",
            hint=f"choose one: --set reader.image={best[0].name}; or --no-image",
        )
    return next(iter(best), None)


def _frame(chosen: _Candidate, request: SlideRequest) -> SlideFrame:
    """Return the frame of an image: the coordinate system itself if it is only scaled, else the px of the image."""
    path = request.path / "images" / chosen.name
    rows = ImageRows(chosen.image, f"the image '{chosen.name}' of {request.path}")
    um_per_px = request.um_per_unit * chosen.to_system.scale
    coarse = um_per_px > COARSE_UM_PER_PX
    note = (
        f"the image '{chosen.name}' has {um_per_px:.3g} um/px, so a {PATCH_UM:.0f} um patch is "
        f"{PATCH_UM / um_per_px:.0f} px wide; give a finer one with --image FILE"
    )
    notes = (note,) if coarse else ()
    if chosen.to_system.is_scale(SCALE_TOLERANCE):
        slide = SlideFile(path, um_per_px, 1 / chosen.to_system.scale, rows, preview=coarse)
        return SlideFrame(IDENTITY, request.um_per_unit, slide, notes=notes)
    slide = SlideFile(path, um_per_px, 1.0, rows, preview=coarse)
    return SlideFrame(chosen.to_system.inverse(), um_per_px, slide, notes=notes)


def _given(image: Path, usable: list[_Candidate], request: SlideRequest) -> SlideFrame:
    """Return the frame with the user's image, whose px are those of the coordinate system but for a scale."""
    aligned = [candidate for candidate in usable if candidate.to_system.is_scale(SCALE_TOLERANCE)]
    best = min(aligned, key=lambda candidate: candidate.to_system.scale, default=None)
    picture = None
    if best:
        shape = (best.image.sizes["y"], best.image.sizes["x"], 3)
        picture = Picture(best.name, "", 1 / best.to_system.scale, shape)
    given = request.inputs.image_scale
    scale, notes = (given, ()) if given else image_scale(image, picture, request.path)
    stored = _frame(best, request).slide if best else None
    slide = SlideFile(image, request.um_per_unit / scale, scale, pictures=(stored,) if stored else ())
    return SlideFrame(IDENTITY, request.um_per_unit, slide, (Source.from_path("image", image),), notes)
