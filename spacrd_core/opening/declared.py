"""Hold what an HDF5 file or zarr group declares against what it stores: a kilobyte can declare a terabyte."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any

from spacrd_core.opening.frames import require_bounded_chunks
from spacrd_core.opening.whole import compressions

if TYPE_CHECKING:
    from collections.abc import Iterator

# deflate shrinks nothing to less than 1/1032; a column that is all one value may be small whatever it declares.
MAX_EXPANSION = 1100
MAX_NAMES_EXPANSION = 200  # of names and tables, which are read as a whole
MAX_IMAGE_EXPANSION = 5000  # of pictures, where most of the glass is empty
FREE_BYTES = 2**28


def require_plausible(node: Any, *, expansion: int = MAX_EXPANSION) -> None:
    """Require that no array of a group, or an array itself, declares far more than it stores.

    Raises
    ------
    ValueError
        If one does, or is compressed several times, or its values are in another file or pickled.
    """
    _refuse_other_files(node)
    for array in _arrays(node):
        if is_pickled(array):
            raise ValueError(f"{_name(array)} holds pickled values, and reading those can run any code")
        if array.chunks and compressions(array) > 1:
            raise ValueError(f"{_name(array)} is compressed several times, so its size is not known")
        require_bounded_chunks(array, FREE_BYTES)
        declared = _declared(array)
        if declared > FREE_BYTES and declared > expansion * max(_stored(array), 1):
            stored = _size(_stored(array))
            raise ValueError(f"{_name(array)} declares {_size(declared)}, and the file holds {stored} of it")


def is_pickled(array: Any) -> bool:
    """Return whether a codec that an array of zarr names runs what it reads, as Python's pickle does."""
    metadata = getattr(array, "metadata", None)
    return metadata is not None and '"pickle"' in json.dumps(metadata.to_dict(), default=str)


def _refuse_other_files(node: Any) -> None:
    """Refuse an HDF5 file that leads to other files, which its author chose and its reader did not."""
    if hasattr(node, "visititems_links") and (name := node.visititems_links(_external)):
        raise ValueError(f"{name} is a link to another file")
    for array in _arrays(node):
        if getattr(array, "is_virtual", False) or getattr(array, "external", None):
            raise ValueError(f"{_name(array)} has its values in another file")


def _arrays(node: Any) -> Iterator[Any]:
    """Yield the arrays below a group of h5py or zarr, or the array itself; links to elsewhere are not followed."""
    if hasattr(node, "shape"):
        yield node
        return
    found: list[Any] = []
    if hasattr(node, "visititems"):
        node.visititems(lambda _, item: found.append(item) if hasattr(item, "shape") else None)
    else:
        found += [item for item in members_below(node) if hasattr(item, "shape")]
    yield from found


def members_below(group: Any) -> list[Any]:
    """Return the groups and arrays below a group of zarr, without its warnings of what a copy has left out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is not recognized as a component of a Zarr hierarchy.*")
        return [member for _, member in group.members(max_depth=None)]


def _external(name: str, link: Any) -> str | None:
    return name if type(link).__name__ == "ExternalLink" else None


def _name(array: Any) -> str:
    return str(array.name).lstrip("/")


def _declared(array: Any) -> int:
    """Return the bytes of an array in memory, or of one of its chunks where that is more."""
    sizes = [math.prod(shape) for shape in (array.shape, array.chunks) if shape is not None]
    return max(sizes, default=0) * int(array.dtype.itemsize)


def _stored(array: Any) -> int:
    return int(array.id.get_storage_size() if hasattr(array, "id") else array.nbytes_stored())


def _size(count: int) -> str:
    units = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")
    power = min(int(math.log(max(count, 1), 1000)), len(units) - 1)
    return f"{count / 1000**power:.3g} {units[power]}"
