"""The orientation tag of TIFF and EXIF, by which viewers turn an image; positions refer to the pixels as stored."""

from __future__ import annotations

ORIENTATION_TAG = 274
AS_STORED = 1
TURNED = range(2, 9)


def orientation_notes(value: object) -> tuple[str, ...]:
    """Return a note if the value of an orientation tag turns the image."""
    if value not in TURNED:
        return ()
    return (
        f"its orientation tag ({value}) was not applied: viewers turn it, but the positions refer to its px as stored",
    )
