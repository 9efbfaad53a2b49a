"""Read how an H&E lies on the morphology images of a Xenium bundle: a 3 x 3 matrix, or keypoints to fit one to.

Both say where H&E px are in the morphology images. Cells, known in um, go the other way: divided by the morphology px
and through the inverse.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FIXED, MOVING = ("fixedx", "fixedy"), ("alignmentx", "alignmenty")  # morphology px, H&E px
RESIDUAL_UM = 25.0  # a quarter of a spot; keypoints set by hand agree within a few um
STRETCHED, DEFORMED = 0.05, 0.2
WANTED = (
    "give Xenium Explorer's matrix.csv (3 x 3, no header) or keypoints.csv (fixedX, fixedY, alignmentX, alignmentY)"
)


@dataclass(frozen=True, eq=False)
class Alignment:
    """``matrix`` takes H&E px ``(x, y, 1)`` to morphology px; ``notes`` say how well it is known."""

    path: Path
    matrix: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def morphology_px_per_px(self) -> float:
        """How many morphology px wide an H&E px is (the mean over both axes, by area)."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))

    def to_image(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points of the morphology images (n x 2, px) lie in the H&E."""
        return moved(points, np.asarray(np.linalg.inv(self.matrix), dtype=np.float64))


def moved(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where an affine 3 x 3 matrix takes points (n x 2)."""
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])


def read_alignment(path: Path, pixel_size: float) -> Alignment:
    """Return the alignment in a file; ``pixel_size`` is that of the morphology images, in um.

    Raises
    ------
    GeometryError
        If it is neither a matrix nor keypoints, or no picture can lie on another that way.
    """
    rows = _rows(path)
    if set(FIXED + MOVING) <= {cell.casefold() for cell in rows[0]}:
        matrix, notes = _fitted(rows, path, pixel_size)
    else:
        matrix, notes = _matrix(rows, path), ()
    return Alignment(path, matrix, (*notes, *_checked(matrix, path)))


def _rows(path: Path) -> list[list[str]]:
    if path.is_file() and zipfile.is_zipfile(path):
        raise GeometryError(f"the alignment {path} is a zip archive", hint="unpack it and give the matrix.csv in it")
    text = read_text(path, "alignment", GeometryError)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    delimiter = max(",;\t", key=text.count)
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)]


def _matrix(rows: list[list[str]], path: Path) -> NDArray[np.float64]:
    try:
        matrix = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise GeometryError(f"the alignment {path} is neither a matrix nor keypoints", hint=WANTED) from error
    if matrix.shape != (3, 3):
        found = " x ".join(map(str, matrix.shape))
        raise GeometryError(f"the alignment {path} holds {found} numbers, not 3 x 3", hint=WANTED)
    if not np.allclose(matrix[2], [0, 0, 1], atol=1e-9):
        last = ", ".join(f"{number:g}" for number in matrix[2])
        raise GeometryError(
            f"the last row of the alignment {path} is {last}, not 0, 0, 1: it is no affine map", hint=WANTED
        )
    return matrix


def _fitted(rows: list[list[str]], path: Path, pixel_size: float) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the least-squares affine map on all keypoints, and how far off they are."""
    source, target = _keypoints(rows, path)
    try:
        fit = fit_affine(source, target)
    except GeometryError as error:
        raise GeometryError(
            f"the {len(source)} keypoints of {path} lie on one line or are fewer than three", hint="set more keypoints"
        ) from error
    off_um = np.linalg.norm(fit.apply(source) - target, axis=1) * pixel_size
    found = (
        f"the {len(source)} keypoints of {path.name} are {fit.rms * pixel_size:.1f} um off an affine map on average, "
        f"number {off_um.argmax() + 1} the most ({off_um.max():.1f} um)"
    )
    if fit.rms * pixel_size > RESIDUAL_UM:
        raise GeometryError(
            f"{found}: the H&E cannot be placed by them", hint="correct that keypoint in Xenium Explorer"
        )
    if len(source) == 3:
        found = f"the 3 keypoints of {path.name} fit exactly, as any three do: more would show how well they are set"
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = fit.matrix.T, fit.offset
    return matrix, (found,)


def _keypoints(rows: list[list[str]], path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    names = [cell.casefold() for cell in rows[0]]
    try:
        table = np.array([[float(row[names.index(name)]) for name in MOVING + FIXED] for row in rows[1:]])
    except (ValueError, IndexError) as error:
        raise GeometryError(f"the keypoints {path} lack a number in a row", hint=WANTED) from error
    if not np.isfinite(table).all():
        raise GeometryError(f"the keypoints {path} lack a number in a row", hint=WANTED)
    table = table.reshape(-1, 4)
    return table[:, :2], table[:, 2:]


def _checked(matrix: NDArray[np.float64], path: Path) -> tuple[str, ...]:
    """Refuse a map that flattens or deforms the picture; note one that stretches it."""
    if not np.isfinite(matrix).all():
        raise GeometryError(f"the alignment {path} lacks a number", hint=WANTED)
    longest, shortest = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    if shortest <= 1e-9 * max(longest, 1.0):
        raise GeometryError(f"the alignment {path} is singular: it flattens the H&E to a line", hint=WANTED)
    stretch = longest / shortest - 1
    found = f"the alignment {path.name} stretches the H&E {stretch:.0%} more one way than the other"
    if stretch > DEFORMED:
        raise GeometryError(f"{found}: that is not how an H&E lies on its section", hint=WANTED)
    return (f"{found}; um/px is the mean",) if stretch > STRETCHED else ()
