"""What the readers share: tolerances, hints and small checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATCH_UM = 112.0  # the tissue an encoder of 224 px at 0.5 um/px sees
MAX_UNMATCHED = 0.1  # share of spots or cells without a partner in the other file of the same section
MAX_ASPECT_DEVIATION = 0.01  # between the two axes of an image and of the frame it should show
UM_PER_PX_TOLERANCE = 0.03  # relative; two sources of um/px that differ by more are reported
CHOOSE_READER = "choose another reader with --reader"


def first_names(names: Sequence[str], count: int = 5) -> str:
    """Return the first few of many names as text."""
    return ", ".join(map(shortened, names[:count])) + (", ..." if len(names) > count else "")


def require_file(path: Path | None, role: str) -> Path | None:
    """Return a path that the user gave, if any.

    Raises
    ------
    MissingFile
        If there is no such file.
    """
    if path is not None and not path.is_file():
        raise MissingFile(f"the {role} {path} does not exist", hint="check the path")
    return path
