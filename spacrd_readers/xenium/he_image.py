"""Find the H&E of a Xenium section and its alignment: neither is part of the bundle.

::

    <id>_he_image.ome.tif   <id>_he_imagealignment.csv      as they are downloaded, beside the bundle or in it
    <any>.tif               <any>_matrix.csv                as Xenium Explorer exports an alignment

The bundle's own images (``morphology*.ome.tif``, ``ch0000_dapi.ome.tif``) show fluorescence and are never taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError, ImageError, MissingFile

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import Given
    from spacrd_readers.xenium.bundle import BundleFiles

IMAGES = (".tif", ".tiff", ".btf", ".svs", ".png", ".jpg", ".jpeg")
ALIGNMENTS = ("alignment.csv", "_alignment.csv", "_matrix.csv", "_keypoints.csv")
FLUORESCENCE = re.compile(r"(.*_)?(morphology(_mip|_focus(_\d+)?)?|ch\d{4}_[^.]*|if_image)\.ome\.tiff?", re.IGNORECASE)
HE = re.compile(r"he_image", re.IGNORECASE)
STATE = (
    "--alignment FILE, Xenium Explorer's matrix.csv or keypoints.csv; if H&E and morphology images match px for px, "
    "state it by a csv of the three lines 1,0,0 and 0,1,0 and 0,0,1; --no-image leaves the H&E out"
)


@dataclass(frozen=True)
class HeFiles:
    """An H&E and the file that says how it lies on the morphology images."""

    image: Path
    alignment: Path


def find_he(files: BundleFiles, given: Given) -> HeFiles | None:
    """Return the H&E of a bundle, given or found; None if there is none, or it is not wanted.

    Raises
    ------
    MissingFile
        If a given file is not there.
    ImageError
        If several images may be it, or the given one shows fluorescence.
    GeometryError
        If it has no alignment: none is ever assumed.
    """
    if not given.with_image:
        return None
    image = _given(given.image, "image") or _found(files)
    alignment = _given(given.alignment, "alignment") or (_paired(image) if image else None)
    if image is None and alignment is not None:
        raise GeometryError(f"{alignment} aligns an H&E, and no image was given or found", hint="--image FILE")
    if image is None:
        return None
    if FLUORESCENCE.fullmatch(image.name):
        raise ImageError(f"{image} is an image of fluorescence, not of H&E", hint="give the H&E, or --no-image")
    if alignment is None:
        raise GeometryError(f"nothing says how the H&E {image} lies on the morphology images", hint=STATE)
    return HeFiles(image, alignment)


def _given(path: Path | None, role: str) -> Path | None:
    if path is not None and not path.is_file():
        raise MissingFile(f"the {role} {path} does not exist", hint="check the path")
    return path


def _found(files: BundleFiles) -> Path | None:
    """Return the H&E in the bundle's folder, else in the one above where that is clearly this bundle's."""
    above = files.folder.resolve().parent
    found = _images(files.folder) or [image for image in _images(above) if _belongs(image, files)]
    if len(found) > 1:
        names = ", ".join(image.name for image in found[:5])
        raise ImageError(
            f"{found[0].parent} holds {len(found)} images that may be the H&E: {names}",
            hint="choose one with --image FILE, or --no-image",
        )
    return found[0] if found else None


def _images(folder: Path) -> list[Path]:
    """Return the images that are named like an H&E or have an alignment of their own."""
    images = [path for path in folder.iterdir() if path.name.lower().endswith(IMAGES) and path.is_file()]
    return sorted(
        path
        for path in images
        if not path.name.startswith(".")
        and not FLUORESCENCE.fullmatch(path.name)
        and (HE.search(path.name) or _paired(path))
    )


def _belongs(image: Path, files: BundleFiles) -> bool:
    """Whether an image above the bundle is named after it, or the bundle is the only one there."""
    name = (files.prefix or files.folder.resolve().name.removesuffix("outs")).rstrip("_-.")
    if name and re.match(rf"{re.escape(name)}(?![A-Za-z0-9])", image.name):
        return True
    return len(list(image.parent.glob("*/*experiment.xenium"))) == 1


def _paired(image: Path) -> Path | None:
    """Return the alignment that is named after an image."""
    bare = re.sub(r"(\.ome)?\.\w+$", "", image.name)
    stems = dict.fromkeys((bare, image.stem, image.name))
    places = [image.with_name(stem + ending) for ending in ALIGNMENTS for stem in stems]
    return next((place for place in places if place.is_file()), None)
