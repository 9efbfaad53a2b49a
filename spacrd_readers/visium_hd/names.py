"""Parse names of Visium HD bins and cells: ``s_008um_00301_00321-1`` holds a bin's size, row and column.

All HD sections use the same names, so a name does not identify its section. Matrices list them in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CountsError
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BIN_PATTERN = b"s_###um_#####_#####"  # '#' is a digit
CELL_PATTERN = b"cellid_#########"
DIGIT, ZERO = ord("#"), np.uint8(ord("0"))
MATRIX_HINT = "give the matrix of one bin size, or of the cells, of a Visium HD section"


@dataclass(frozen=True, eq=False)
class Bins:
    """The size of bins, and the row and column of each."""

    um: int
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]


def parse_bins(names: NDArray[np.bytes_], path: Path) -> Bins:
    """Return the bins of the barcodes in the file at ``path``.

    Raises
    ------
    CountsError
        If they are not bins, or bins of several sizes.
    """
    sizes, rows, columns = _parse_numbers(names, BIN_PATTERN, "s_008um_00301_00321-1", path)
    others = sizes != sizes[0]
    if others.any():
        raise CountsError(f"{path} has bins of {sizes[0]} um and of {sizes[others.argmax()]} um", hint=MATRIX_HINT)
    return Bins(int(sizes[0]), rows, columns)


def parse_cells(names: NDArray[np.bytes_], path: Path) -> NDArray[np.int32]:
    """Return the cell numbers of the barcodes in the file at ``path``.

    Raises
    ------
    CountsError
        If they are not cells.
    """
    return _parse_numbers(names, CELL_PATTERN, "cellid_000000001-1", path)[0]


def _parse_numbers(names: NDArray[np.bytes_], pattern: bytes, example: str, path: Path) -> list[NDArray[np.int32]]:
    """Return the numbers in each run of digits of a pattern, for every name; a prefix of constant length is skipped."""
    letters = _letters(names, pattern)
    matches = np.full(len(names), letters.shape[1] == len(pattern))
    for column, letter in zip(letters.T, pattern, strict=False):
        matches &= (column - ZERO <= 9) if letter == DIGIT else (column == letter)
    if not len(names):
        raise CountsError(f"{path} has no barcodes", hint=MATRIX_HINT)
    if not matches.all():
        name = names[matches.argmin()].decode(errors="replace")
        raise CountsError(f"the barcode '{shortened(name)}' of {path} is not named like {example}", hint=MATRIX_HINT)
    return [_decimal(letters[:, run.start() : run.end()]) for run in re.finditer(rb"#+", pattern)]


def _letters(names: NDArray[np.bytes_], pattern: bytes) -> NDArray[np.uint8]:
    """Return the bytes of names, n x length, from the start of the pattern in the first name."""
    match = re.search(pattern.replace(b"#", rb"\d"), names[0]) if len(names) else None
    start = match.start() if match else 0
    letters = np.ascontiguousarray(names).view(np.uint8).reshape(len(names), names.dtype.itemsize)
    return letters[:, start : start + len(pattern)]


def _decimal(digits: NDArray[np.uint8]) -> NDArray[np.int32]:
    number = np.zeros(len(digits), dtype=np.int32)
    for column in digits.T:
        number = number * 10 + (column - ZERO)
    return number
