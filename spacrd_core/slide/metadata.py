"""What an image file says of its own resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def image_um_per_px(path: Path) -> float | None:  # noqa: ARG001 - being written
    """Return the um/px an image file states; None where it states none."""
    return None
