"""Find the raw counts among an object's matrices: the first that holds whole numbers, whatever it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scipy import sparse

from spacrd_core.errors import ConfigError, CountsError
from spacrd_readers.anndata.matrix import load_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

PLACES = ("layers/counts", "layers/raw_counts", "layers/raw", "X", "raw/X")

Counts = tuple[str, sparse.csr_matrix[Any], tuple[str, ...]]


def read_counts(file: AnnDataFile, rows: NDArray[np.int64], *, spots: int, layer: str = "") -> Counts:
    """Return the place of the raw counts, those of some rows as int32, and what the user should know.

    A matrix has a row for each of the file's ``spots``; ``layer`` is the user's choice ('': the first with counts).

    Raises
    ------
    ConfigError
        If there is no layer of the name the user gave.
    CountsError
        If no matrix holds raw counts; it says what each looks like.
    """
    looked: list[str] = []
    for place in _places(file, layer):
        try:
            found = load_counts(file, place, rows, spots=spots)
        except CountsError as error:
            looked.append(f"{called(place)} {error}")
        else:
            return place, found, _note(place, looked)
    raise CountsError(
        f"{file.path} holds no raw counts: {'; '.join(looked) or 'it has no matrix'}",
        hint="store the raw counts in layers['counts']",
    )


def called(place: str) -> str:
    """Return what users of AnnData call a matrix."""
    group, _, name = place.partition("/")
    return f"layers['{name}']" if group == "layers" else place.replace("/", ".")


def _places(file: AnnDataFile, layer: str) -> list[str]:
    if not layer:
        return [place for place in PLACES if file.has(place)]
    place = {"X": "X", "raw": "raw/X", "raw.X": "raw/X"}.get(layer, f"layers/{layer}")
    if not file.has(place):
        layers = ", ".join(file.names("layers")) or "no layers"
        raise ConfigError(f"{file.path} has no layer '{layer}', but {layers}", hint="--set reader.counts=NAME")
    return [place]


def _note(place: str, looked: list[str]) -> tuple[str, ...]:
    if place == "X":
        return ()
    return (f"the counts are those of {called(place)}" + (f": {'; '.join(looked)}" if looked else ""),)
