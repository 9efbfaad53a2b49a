"""Names of Visium HD bins and cells: ``s_008um_00301_00321-1`` says a bin's size, row and column, and of no slide.

Every HD section has the same names, so that finding one says nothing of whose it is. Matrices list them in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BIN = b"s_###um_#####_#####"  # '#' is a digit
CELL = b"cellid_#########"
DIGIT, ZERO = ord("#"), np.uint8(ord("0"))
WANTED = "give the matrix of one bin size, or of the cells, of a Visium HD section"


@dataclass(frozen=True, eq=False)
class Bins:
    """The size of bins, and the row and column of each."""

    um: int
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]


def parse_bins(names: NDArray[np.bytes_], path: Path) -> Bins:
    """Return the bins that barcodes of the file at ``path`` name.

    Raises
    ------
    CountsError
        If they are no bins, or bins of several sizes.
    """
    sizes, rows, columns = _numbers(names, BIN, "s_008um_00301_00321-1", path)
    others = sizes != sizes[0]
    if others.any():
        raise CountsError(f"{path} has bins of {sizes[0]} um and of {sizes[others.argmax()]} um", hint=WANTED)
    return Bins(int(sizes[0]), rows, columns)


def parse_cells(names: NDArray[np.bytes_], path: Path) -> NDArray[np.int32]:
    """Return the numbers of the cells that barcodes of the file at ``path`` name.

    Raises
    ------
    CountsError
        If they are no cells.
    """
    return _numbers(names, CELL, "cellid_000000001-1", path)[0]


def _numbers(names: NDArray[np.bytes_], form: bytes, example: str, path: Path) -> list[NDArray[np.int32]]:
    """Return the numbers that a form's runs of digits hold in every name; a prefix of one length is passed over."""
    letters = _letters(names, form)
    fits = np.full(len(names), letters.shape[1] == len(form))
    for column, letter in zip(letters.T, form, strict=False):
        fits &= (column - ZERO <= 9) if letter == DIGIT else (column == letter)
    if not len(names):
        raise CountsError(f"{path} has no barcodes", hint=WANTED)
    if not fits.all():
        found = names[fits.argmin()].decode(errors="replace")
        raise CountsError(f"the barcode '{found}' of {path} is not named like {example}", hint=WANTED)
    return [_decimal(letters[:, run.start() : run.end()]) for run in re.finditer(rb"#+", form)]


def _letters(names: NDArray[np.bytes_], form: bytes) -> NDArray[np.uint8]:
    """Return the bytes of names, n x length, from where the first name has the form."""
    found = re.search(form.replace(b"#", rb"\d"), names[0]) if len(names) else None
    start = found.start() if found else 0
    letters = np.ascontiguousarray(names).view(np.uint8).reshape(len(names), names.dtype.itemsize)
    return letters[:, start : start + len(form)]


def _decimal(digits: NDArray[np.uint8]) -> NDArray[np.int32]:
    number = np.zeros(len(digits), dtype=np.int32)
    for column in digits.T:
        number = number * 10 + (column - ZERO)
    return number
