"""Open a SpatialData object with the spatialdata library, which is imported only here: it is optional and slow."""

from __future__ import annotations

import importlib
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import zarr

from spacrd_core.errors import ConfigError, InputError, SpacrdError
from spacrd_core.opening.declared import MAX_IMAGE_EXPANSION, require_plausible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ELEMENTS = ("images", "labels", "shapes")  # tables are read in parts, points only if a table counts them
PICTURES = ("images", "labels")
# Errors that zarr, dask, pyarrow and geopandas raise on damaged elements.
DAMAGED_FILE_ERRORS = (
    *(OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, ArithmeticError, AssertionError),
    *(MemoryError, NotImplementedError, EOFError),
)
LOGS = ("spatialdata", "ome_zarr")
INSTALL_HINT = "pip install 'spacrd[spatialdata]'"
COPY_AGAIN = "copy it again, or write it again with the spatialdata library"


@contextmanager
def open_object(path: Path, *, with_points: bool = False) -> Iterator[Any]:
    """Yield the object at a path, without its tables; its images, labels and points are read when needed.

    Raises
    ------
    ConfigError
        If spatialdata is not installed.
    InputError
        If the object is damaged, or of a later version than the library.
    """
    library = _library(path)
    with _quiet():
        try:
            _require_plausible_pictures(path)
            data = library.read_zarr(path, selection=(*ELEMENTS, "points") if with_points else ELEMENTS)
        except Exception as error:  # the library, zarr, dask and pyarrow raise errors of every type on damaged files
            raise _unreadable(path, error) from error
        yield data


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Turn a library's error about a damaged element into an :class:`InputError` that names the object."""
    try:
        yield
    except SpacrdError:
        raise
    except DAMAGED_FILE_ERRORS as error:
        raise _unreadable(path, error) from error


def _require_plausible_pictures(path: Path) -> None:
    """Require pictures that the library may open: without pickles, and no larger than what is stored of them shows."""
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    for name in PICTURES:
        if name in group:
            require_plausible(group[name], expansion=MAX_IMAGE_EXPANSION)


def _library(path: Path) -> Any:
    with _quiet():
        try:
            return importlib.import_module("spatialdata")
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{path} is a SpatialData object; reading it needs the library spatialdata, which is not installed",
                hint=INSTALL_HINT,
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the library's warnings about versions, and its logs of what it opens."""
    logs = [logging.getLogger(name) for name in LOGS]
    levels = [log.level for log in logs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for log in logs:
            log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for log, level in zip(logs, levels, strict=True):
                log.setLevel(level)


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return InputError(f"{path} cannot be read as SpatialData: {reason}", hint=COPY_AGAIN)
