"""Read the alignment of an H&E image to the morphology images of a Xenium bundle: a 3 x 3 matrix, or keypoints.

Both map H&E px to morphology px. Cell positions, in um, are mapped the other way: divided by the morphology pixel size
and multiplied by the inverse.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine
from spacrd_core.tables import read_text, split_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FIXED_COLUMNS, MOVING_COLUMNS = ("fixedx", "fixedy"), ("alignmentx", "alignmenty")  # morphology px, H&E px
MAX_LETTERS = 2**20  # some 20,000 keypoints
MAX_RESIDUAL_UM = 25.0  # a quarter of a spot; keypoints set by hand agree within a few um
NOTED_STRETCH, MAX_STRETCH = 0.05, 0.2  # excess of one axis over the other
ALIGNMENT_FORMATS = (
    "give Xenium Explorer's matrix.csv (3 x 3, no header) or keypoints.csv (fixedX, fixedY, alignmentX, alignmentY)"
)


@dataclass(frozen=True, eq=False)
class Alignment:
    """``matrix`` maps H&E px ``(x, y, 1)`` to morphology px; ``notes`` describe its accuracy."""

    path: Path
    matrix: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def morphology_px_per_px(self) -> float:
        """Width of an H&E px in morphology px (geometric mean of both axes)."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))


def apply_affine(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (n x 2) transformed by an affine 3 x 3 matrix."""
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])


def read_alignment(path: Path, pixel_size: float) -> Alignment:
    """Return the alignment in a file; ``pixel_size`` is that of the morphology images, in um.

    Raises
    ------
    GeometryError
        If it is neither a matrix nor keypoints, or is not a plausible alignment of two images.
    """
    rows = _rows(path)
    if set(FIXED_COLUMNS + MOVING_COLUMNS) <= {cell.casefold() for cell in rows[0]}:
        matrix, notes = _fit_keypoints(rows, path, pixel_size)
    else:
        matrix, notes = _matrix(rows, path), ()
    return Alignment(path, matrix, (*notes, *_checked(matrix, path)))


def _rows(path: Path) -> list[list[str]]:
    if path.is_file() and zipfile.is_zipfile(path):
        raise GeometryError(f"the alignment {path} is a zip archive", hint="unpack it and give the matrix.csv in it")
    text = read_text(path, "alignment", GeometryError)
    if len(text) > MAX_LETTERS:
        raise GeometryError(f"the alignment {path} has {len(text):,} letters", hint=ALIGNMENT_FORMATS)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    delimiter = max(",;\t", key=text.count)
    rows = split_rows("\n".join(lines), delimiter, path, GeometryError)
    if not rows:
        raise GeometryError(f"the alignment {path} holds only comments", hint=ALIGNMENT_FORMATS)
    return [[cell.strip() for cell in row] for row in rows]


def _matrix(rows: list[list[str]], path: Path) -> NDArray[np.float64]:
    try:
        matrix = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise GeometryError(
            f"the alignment {path} is neither a matrix nor keypoints", hint=ALIGNMENT_FORMATS
        ) from error
    if matrix.shape != (3, 3):
        shape = " x ".join(map(str, matrix.shape))
        raise GeometryError(f"the alignment {path} holds {shape} numbers, expected 3 x 3", hint=ALIGNMENT_FORMATS)
    if not np.allclose(matrix[2], [0, 0, 1], atol=1e-9):
        last = ", ".join(f"{number:g}" for number in matrix[2])
        raise GeometryError(
            f"the last row of the alignment {path} is {last}, not 0, 0, 1: it is not an affine map",
            hint=ALIGNMENT_FORMATS,
        )
    return matrix


def _fit_keypoints(rows: list[list[str]], path: Path, pixel_size: float) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the least-squares affine map of all keypoints, and a note on their residuals."""
    source, target = _keypoints(rows, path)
    try:
        fit = fit_affine(source, target)
    except GeometryError as error:
        raise GeometryError(
            f"the {len(source)} keypoints of {path} are on one line or fewer than three", hint="set more keypoints"
        ) from error
    residuals_um = np.linalg.norm(fit.apply(source) - target, axis=1) * pixel_size
    note = (
        f"the {len(source)} keypoints of {path.name} deviate from an affine map by {fit.rms * pixel_size:.1f} um "
        f"(RMS), at most {residuals_um.max():.1f} um (keypoint {residuals_um.argmax() + 1})"
    )
    if fit.rms * pixel_size > MAX_RESIDUAL_UM:
        raise GeometryError(
            f"{note}: this is too far to place the H&E", hint="correct that keypoint in Xenium Explorer"
        )
    if len(source) == 3:
        note = f"the 3 keypoints of {path.name} fit exactly, as any three do; more would show their accuracy"
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = fit.matrix.T, fit.offset
    return matrix, (note,)


def _keypoints(rows: list[list[str]], path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    names = [cell.casefold() for cell in rows[0]]
    try:
        table = np.array(
            [[float(row[names.index(name)]) for name in MOVING_COLUMNS + FIXED_COLUMNS] for row in rows[1:]]
        )
    except (ValueError, IndexError) as error:
        raise GeometryError(f"the keypoints {path} lack a number in a row", hint=ALIGNMENT_FORMATS) from error
    if not np.isfinite(table).all():
        raise GeometryError(f"the keypoints {path} lack a number in a row", hint=ALIGNMENT_FORMATS)
    table = table.reshape(-1, 4)
    return table[:, :2], table[:, 2:]


def _checked(matrix: NDArray[np.float64], path: Path) -> tuple[str, ...]:
    """Refuse a map that flattens or deforms the image; return a note if it stretches the image."""
    if not np.isfinite(matrix).all():
        raise GeometryError(f"the alignment {path} lacks a number", hint=ALIGNMENT_FORMATS)
    longest, shortest = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    if shortest <= 1e-9 * max(longest, 1.0):
        raise GeometryError(f"the alignment {path} is singular: it flattens the H&E to a line", hint=ALIGNMENT_FORMATS)
    stretch = longest / shortest - 1
    note = f"the alignment {path.name} stretches the H&E by {stretch:.0%} more along one axis than the other"
    if stretch > MAX_STRETCH:
        raise GeometryError(f"{note}: two images of one section cannot differ this much", hint=ALIGNMENT_FORMATS)
    return (f"{note}; um/px is the mean",) if stretch > NOTED_STRETCH else ()
