"""Checks of a section's slide, on any platform: an H&E, of this section, that lies as the positions do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError
from spacrd_core.images.orientation import find_orientation
from spacrd_core.images.sample import sample_image
from spacrd_core.images.stain import stain_error, stain_notes
from spacrd_core.ingestion.lattice import mirrored_lattice

if TYPE_CHECKING:
    from spacrd_core.errors import InputError
    from spacrd_core.images.sample import ImageSample
    from spacrd_core.section.section import Section, SlideFile


def check_slide(section: Section, slide: SlideFile) -> tuple[InputError | None, tuple[str, ...]]:
    """Return the error that forbids using a slide, and notes on what may be wrong.

    Raises
    ------
    ImageError
        If the slide cannot be read.
    """
    sample = sample_image(slide)
    if error := stain_error(sample, slide.title):
        return error, ()
    turned, turned_notes = _check_orientation(slide, sample)
    if turned:
        return turned, ()
    exchanged, lattice_notes = mirrored_lattice(section, slide, sample)
    return exchanged, (*stain_notes(sample, slide.path.name), *turned_notes, *lattice_notes)


def _check_orientation(slide: SlideFile, sample: ImageSample) -> tuple[InputError | None, tuple[str, ...]]:
    """Return an error or a note if the slide lies otherwise than the platform's own pictures."""
    try:
        orientation = find_orientation(slide, sample)
    except ImageError as error:
        return None, (f"{slide.path.name} was not compared with the run's own pictures: {error}",)
    if orientation is None:
        return None, ()
    return (orientation.error, ()) if orientation.is_turned else (None, tuple(filter(None, [orientation.note])))
