"""Find the H&E of a Xenium section and its alignment: neither is part of the bundle.

::

    <id>_he_image.ome.tif   <id>_he_imagealignment.csv      downloads, beside the bundle or in it
    <any>.tif               <any>_matrix.csv                an alignment exported by Xenium Explorer

The bundle's own images (``morphology*.ome.tif``, ``ch0000_dapi.ome.tif``) show fluorescence and are never used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError, ImageError
from spacrd_core.quoting import listed
from spacrd_readers._base import require_file

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs
    from spacrd_readers.xenium.bundle import BundleFiles

IMAGE_SUFFIXES = (".tif", ".tiff", ".btf", ".svs", ".png", ".jpg", ".jpeg")
ALIGNMENT_SUFFIXES = ("alignment.csv", "_alignment.csv", "_matrix.csv", "_keypoints.csv")
FLUORESCENCE_NAME = re.compile(
    r"(.*_)?(morphology(_mip|_focus(_\d+)?)?|ch\d{4}_[^.]*|if_image)\.ome\.tiff?", re.IGNORECASE
)
HE_NAME = re.compile(r"he_image", re.IGNORECASE)
ALIGNMENT_HINT = (
    "use --alignment FILE with Xenium Explorer's matrix.csv or keypoints.csv, or --align auto, which aligns by nuclei "
    "and refuses what is not certain; if the H&E and morphology images match px for px, give a csv of the three lines "
    "1,0,0 and 0,1,0 and 0,0,1; --no-image leaves the H&E out"
)


@dataclass(frozen=True)
class HeFiles:
    """An H&E image and the file with its alignment to the morphology images."""

    image: Path
    alignment: Path


@dataclass(frozen=True)
class UnalignedHe:
    """An H&E image whose alignment is to be proposed."""

    image: Path


def find_he(files: BundleFiles, inputs: ImageInputs) -> HeFiles | UnalignedHe | None:
    """Return the H&E of a bundle, given or found; None if there is none, or no image is requested.

    Raises
    ------
    MissingFile
        If a given file does not exist.
    ImageError
        If several images may be the H&E, or the given one shows fluorescence.
    GeometryError
        If it has no alignment, and none is to be proposed: none is ever assumed.
    """
    if not inputs.with_image:
        return None
    image = require_file(inputs.image, "image") or _find_image(files)
    alignment = require_file(inputs.alignment, "alignment") or (_paired_alignment(image) if image else None)
    if image is None and alignment is not None:
        raise GeometryError(f"no H&E image was given or found for the alignment {alignment}", hint="use --image FILE")
    if image is None:
        return None
    if FLUORESCENCE_NAME.fullmatch(image.name):
        raise ImageError(f"{image} is a fluorescence image, not H&E", hint="give the H&E, or use --no-image")
    if alignment is not None:
        return HeFiles(image, alignment)
    if inputs.align:
        return UnalignedHe(image)
    raise GeometryError(f"the H&E {image} has no alignment to the morphology images", hint=ALIGNMENT_HINT)


def _find_image(files: BundleFiles) -> Path | None:
    """Return the H&E in the bundle's folder, else in the parent folder if it clearly belongs to this bundle."""
    parent = files.folder.resolve().parent
    images = _images(files.folder) or [image for image in _images(parent) if _belongs(image, files)]
    if len(images) > 1:
        names = listed(image.name for image in images)
        raise ImageError(
            f"{images[0].parent} holds {len(images)} images that may be the H&E: {names}",
            hint="choose one with --image FILE, or use --no-image",
        )
    return images[0] if images else None


def _images(folder: Path) -> list[Path]:
    """Return the images that are named like an H&E or have an alignment file."""
    images = [path for path in folder.iterdir() if path.name.lower().endswith(IMAGE_SUFFIXES) and path.is_file()]
    return sorted(
        path
        for path in images
        if not path.name.startswith(".")
        and not FLUORESCENCE_NAME.fullmatch(path.name)
        and (HE_NAME.search(path.name) or _paired_alignment(path))
    )


def _belongs(image: Path, files: BundleFiles) -> bool:
    """Return whether an image in the parent folder is named after the bundle, or the bundle is the only one there."""
    name = (files.prefix or files.folder.resolve().name.removesuffix("outs")).rstrip("_-.")
    if name and re.match(rf"{re.escape(name)}(?![A-Za-z0-9])", image.name):
        return True
    bundles = [path for path in image.parent.glob("*/*experiment.xenium") if not path.name.startswith(".")]
    return len(bundles) == 1


def _paired_alignment(image: Path) -> Path | None:
    """Return the alignment file that is named after an image."""
    bare = re.sub(r"(\.ome)?\.\w+$", "", image.name)
    stems = dict.fromkeys((bare, image.stem, image.name))
    candidates = [image.with_name(stem + ending) for ending in ALIGNMENT_SUFFIXES for stem in stems]
    return next((path for path in candidates if path.is_file()), None)
