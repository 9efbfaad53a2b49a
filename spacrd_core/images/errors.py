"""Translate the errors of image libraries into errors that name the file."""

from __future__ import annotations

import logging
import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import UnidentifiedImageError
from tifffile import TiffFileError

from spacrd_core.errors import ImageError, MissingFile, SpacrdError
from spacrd_core.opening.kinds import refuse_special

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # or its notes on damage are on every terminal
UNKNOWN_FORMAT_ERRORS = (UnidentifiedImageError, TiffFileError)
# Errors that Pillow, tifffile and imagecodecs raise on truncated and corrupted files.
DAMAGE_ERRORS = (
    *(OSError, SyntaxError, ValueError, RuntimeError, LookupError, EOFError, TypeError, AttributeError),
    *(ArithmeticError, MemoryError, struct.error, zlib.error),
)


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Translate a library's errors into an :class:`ImageError` that names the file."""
    refuse_special(path, ImageError)
    if not path.is_file():
        raise MissingFile(f"the image {path} does not exist", hint="check --image")
    try:
        yield
    except SpacrdError:
        raise
    except UNKNOWN_FORMAT_ERRORS as error:
        raise ImageError(f"{path} is not a readable image: {error}", hint="give a JPEG, PNG or TIFF") from error
    except DAMAGE_ERRORS as error:
        reason = str(error) or type(error).__name__
        raise ImageError(f"{path} is damaged: {reason}", hint="copy or export it again") from error
