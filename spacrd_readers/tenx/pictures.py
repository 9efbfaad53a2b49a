"""The pictures of a Space Ranger run, by their names: the small ones it makes, and what may be the user's own image.

What it draws on (``aligned_fiducials``, ``detected_tissue_image``), fluorescence and the CytAssist's own photograph are
never taken for H&E.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PREVIEWS = ("hires", "lowres")  # the finer first
PREVIEW = "tissue_{kind}_image.{suffix}"
ORIGINAL = re.compile(r"(.*[_.-])?image\.(tiff?|btf|ome\.tiff?|svs|ndpi|jpe?g|png)", re.IGNORECASE)
DRAWN = re.compile(r"detected_tissue_image|aligned_fiducials", re.IGNORECASE)
OTHERS = re.compile(r"hires|lowres|cytassist|detected|aligned|fluorescence|(^|_)if_image|dapi|mask", re.IGNORECASE)


def find_previews(spatial: Path, prefix: str = "") -> dict[str, Path]:
    """Return the small pictures of a run's spatial folder by kind; names may be prefixed, files packed."""
    found: dict[str, Path] = {}
    for kind in PREVIEWS:
        names = [PREVIEW.format(kind=kind, suffix=suffix) for suffix in ("png", "jpg", "jpeg", "png.gz", "jpg.gz")]
        starts = dict.fromkeys((prefix, ""))
        places = [spatial / f"{start}{name}" for start in starts for name in names]
        if path := next((place for place in places if place.is_file()), None):
            found[kind] = path
    return found


def find_originals(folders: Iterable[Path]) -> list[Path]:
    """Return the files of some folders that are named like the image of a run: ``<id>_image.tif`` and the like."""
    files = (
        path for folder in dict.fromkeys(folders) if os.access(folder, os.R_OK) for path in sorted(folder.iterdir())
    )
    return [path for path in files if _is_original(path.name) and path.is_file()]


def _is_original(name: str) -> bool:
    return bool(ORIGINAL.fullmatch(name)) and not OTHERS.search(name) and not name.startswith(".")
