"""The picture that squidpy keeps in ``uns['spatial']``, as a slide: a thumbnail of the full-resolution image."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import ConfigError, ImageError
from spacrd_core.section import SlideFile, Source
from spacrd_readers._anndata_file import explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section import Given
    from spacrd_readers._anndata_file import AnnDataFile
    from spacrd_readers._anndata_library import Library

ROWS = 256  # of the picture, converted in one go
PATCH_UM = 112.0  # what the usual encoders look at
INSTEAD = "--image FILE gives the full-resolution image, --no-image leaves it out"


def find_slide(
    file: AnnDataFile, library: Library, given: Given, *, wanted: str, um_per_px: float
) -> tuple[SlideFile | None, tuple[Source, ...], tuple[str, ...]]:
    """Return the slide, its source and what the user should know: the file the user gave, else a picture of the object.

    ``wanted`` is the picture's name ('': the finest).

    Raises
    ------
    ConfigError
        If there is no picture of the name the user gave.
    ImageError
        If it cannot be used.
    """
    if not given.with_image:
        return None, (), ()
    if given.image:
        scale = given.image_scale or 1.0
        return SlideFile(given.image, um_per_px / scale, scale), (Source.of("image", given.image),), ()
    name = _choose(file, f"{library.place}/images", wanted)
    if not name:
        return None, (), ("no image was found; --image FILE gives one",)
    scale = given.image_scale or library.factors.get(f"tissue_{name}_scalef", 0.0)
    if not scale:
        raise ImageError(
            f"{file.path} does not say the scale of its image '{name}' (tissue_{name}_scalef)",
            hint=f"--image-scale X, image px per full-resolution px; {INSTEAD}",
        )
    pixels = _pixels(file, f"{library.place}/images/{name}", name)
    slide = SlideFile(file.path, um_per_px / scale, scale, pixels)
    source = Source("image", file.path, hashlib.sha256(f"{pixels.shape}".encode() + pixels.data).hexdigest())
    return slide, (source,), (_coarse(name, slide) + _original(file, library),)


def _choose(file: AnnDataFile, place: str, wanted: str) -> str:
    """Return the name of the picture that is wanted, or of the finest there is."""
    names = file.names(place)
    if wanted and wanted not in names:
        raise ConfigError(
            f"{file.path} has no image '{wanted}', but {', '.join(names) or 'none'}", hint="--set reader.image=NAME"
        )
    return wanted or max(names, key=lambda name: file.node(f"{place}/{name}").shape[:1], default="")


def _pixels(file: AnnDataFile, place: str, name: str) -> NDArray[np.uint8]:
    """Return a picture as 8-bit RGB over white glass."""
    node = file.node(place)
    if len(node.shape) != 3 or node.shape[2] not in (3, 4):
        shape = " x ".join(map(str, node.shape))
        raise ImageError(f"the image '{name}' of {file.path} is {shape}, RGB or RGBA was wanted", hint=INSTEAD)
    pixels = np.empty((*node.shape[:2], 3), dtype=np.uint8)
    for top in range(0, len(pixels), ROWS):
        with explained(file.path):
            rows = node[top : top + ROWS]
        pixels[top : top + ROWS] = _rgb(rows, f"the image '{name}' of {file.path}")
    return pixels


def _rgb(rows: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if rows.dtype == np.uint8 and rows.shape[2] == 3:
        return rows
    if rows.dtype != np.uint8 and (rows.dtype.kind != "f" or not ((rows >= 0) & (rows <= 1)).all()):
        raise ImageError(
            f"{name} has {rows.dtype} values up to {rows.max():.6g}: 8-bit, or floats from 0 to 1, were wanted",
            hint=INSTEAD,
        )
    shown = rows.astype(np.float32) / (255 if rows.dtype == np.uint8 else 1)
    if shown.shape[2] == 4:
        shown = shown[..., :3] * shown[..., 3:] + (1 - shown[..., 3:])
    return np.rint(shown * 255).astype(np.uint8)


def _coarse(name: str, slide: SlideFile) -> str:
    return (
        f"the slide is the object's {name} image at {slide.um_per_px:.2f} um/px, where {PATCH_UM:.0f} um are "
        f"{PATCH_UM / slide.um_per_px:.0f} px: --image FILE gives the full-resolution one"
    )


def _original(file: AnnDataFile, library: Library) -> str:
    place = f"{library.place}/metadata/source_image_path"
    return f" (made from {str(file.element(place))[:200]!r})" if file.has(place) else ""
