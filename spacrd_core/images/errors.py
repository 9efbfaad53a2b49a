"""Name the image file in whatever goes wrong while it is read."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import UnidentifiedImageError
from tifffile import TiffFileError

from spacrd_core.errors import ImageError, MissingFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOT_AN_IMAGE = (UnidentifiedImageError, TiffFileError)
# What Pillow, tifffile and imagecodecs are known to raise on truncated and corrupted files.
DAMAGED = (OSError, SyntaxError, ValueError, RuntimeError, LookupError, EOFError, struct.error, zlib.error)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what a library raises into an :class:`ImageError` that names the file."""
    if not path.is_file():
        raise MissingFile(f"there is no image at {path}", hint="check --image")
    try:
        yield
    except ImageError:
        raise
    except NOT_AN_IMAGE as error:
        raise ImageError(
            f"{path} is not an image that can be read: {error}", hint="give a JPEG, PNG or TIFF"
        ) from error
    except DAMAGED as error:
        raise ImageError(f"{path} is damaged: {error}", hint="copy or export it again") from error
