"""Find the images of a Space Ranger run by name: its previews, and candidates for the full-resolution image.

Annotated images (``aligned_fiducials``, ``detected_tissue_image``), fluorescence and the CytAssist image are never used
as H&E.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from spacrd_readers._links import broken_link, follow_link

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PREVIEW_KINDS = ("hires", "lowres")  # the finer first
PREVIEW_NAME = "tissue_{kind}_image.{suffix}"
ORIGINAL_NAME = re.compile(r"(.*[_.-])?image\.(tiff?|btf|ome\.tiff?|svs|ndpi|jpe?g|png)", re.IGNORECASE)
ANNOTATED_NAME = re.compile(r"detected_tissue_image|aligned_fiducials", re.IGNORECASE)
NOT_HE_NAME = re.compile(r"hires|lowres|cytassist|detected|aligned|fluorescence|(^|_)if_image|dapi|mask", re.IGNORECASE)


def find_previews(spatial: Path, prefix: str = "") -> dict[str, Path]:
    """Return the previews in a run's spatial folder by kind; names may have a prefix, and files may be gzipped."""
    previews: dict[str, Path] = {}
    for kind in PREVIEW_KINDS:
        candidates = [follow_link(path) for path in _preview_paths(spatial, kind, prefix) if not broken_link(path)]
        if path := next((path for path in candidates if path.is_file()), None):
            previews[kind] = path
    return previews


def broken_previews(spatial: Path, prefix: str = "") -> list[str]:
    """Return a sentence for each preview of a folder that is a link to a file that does not exist."""
    paths = (path for kind in PREVIEW_KINDS for path in _preview_paths(spatial, kind, prefix))
    return [reason for path in paths if (reason := broken_link(path))]


def _preview_paths(spatial: Path, kind: str, prefix: str) -> list[Path]:
    """Return the paths that a preview may have, in order of preference."""
    names = [PREVIEW_NAME.format(kind=kind, suffix=suffix) for suffix in ("png", "jpg", "jpeg", "png.gz", "jpg.gz")]
    return [spatial / f"{start}{name}" for start in dict.fromkeys((prefix, "")) for name in names]


def find_originals(folders: Iterable[Path]) -> list[Path]:
    """Return the files in folders that are named like a run's input image, such as ``<id>_image.tif``."""
    files = (
        path for folder in dict.fromkeys(folders) if os.access(folder, os.R_OK) for path in sorted(folder.iterdir())
    )
    return [path for path in files if _is_original(path.name) and path.is_file()]


def _is_original(name: str) -> bool:
    return bool(ORIGINAL_NAME.fullmatch(name)) and not NOT_HE_NAME.search(name) and not name.startswith(".")
