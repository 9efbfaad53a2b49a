"""Search all turns, tilts and scales for places where cells fit an H&E, by normalised cross-correlation.

The correlation is that of the part where both overlap, at every shift at once, through Fourier transforms (Padfield,
"Masked object registration in the Fourier domain", IEEE Trans Image Process 2012).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import fft, ndimage

from spacrd_readers.xenium.registration.cell_density import bin_points
from spacrd_readers.xenium.registration.placement import Placement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spacrd_core.arrays import Array
    from spacrd_readers.xenium.registration.cell_density import CellDensity

# The eight turns of a picture, as linear maps of (x, y).
TURNS = tuple(
    np.array(rows, dtype=float) for x, y in product((1, -1), repeat=2) for rows in ([[x, 0], [0, y]], [[0, x], [y, 0]])
)
MIN_OVERLAP = 0.55  # share of the cells that must be inside the image
MIN_CONTRAST = 1e-3  # of the largest contrast; a flat part has no correlation
PEAKS = 2  # of one turn, tilt and scale
APART_PX = 6  # between peaks


class Pose(NamedTuple):
    """One of the eight turns, a tilt in degrees, and the um per px."""

    turn: int
    tilt: float
    um_per_px: float

    @property
    def linear(self) -> Array:
        """The linear map from um to px, 2 x 2."""
        angle = np.radians(self.tilt)
        tilt = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.asarray(tilt @ TURNS[self.turn] / self.um_per_px)


class Correlator:
    """A plane with its Fourier transforms, against which templates are correlated at every shift."""

    def __init__(self, plane: Array, largest_template: int) -> None:
        self._size = plane.shape
        self._padded = [fft.next_fast_len(side + largest_template, real=True) for side in plane.shape]
        self._plane, self._squares, self._inside = map(self._transform, (plane, plane**2, np.ones_like(plane)))

    def correlate(self, template: Array, mask: Array, cells: Array) -> Array:
        """Return the correlation at every shift; -1 where too few cells or too little contrast are in the plane."""
        masked = template * mask
        spectra = [np.conj(self._transform(part)) for part in (masked, masked**2, mask, cells)]
        values, squares, inside, counts = spectra
        number = np.maximum(self._at_shifts(self._inside * inside), 1)
        plane_sum, template_sum = self._at_shifts(self._plane * inside), self._at_shifts(self._inside * values)
        covariance = self._at_shifts(self._plane * values) - plane_sum * template_sum / number
        plane_variance = self._at_shifts(self._squares * inside) - plane_sum**2 / number
        template_variance = self._at_shifts(self._inside * squares) - template_sum**2 / number
        contrast = np.sqrt(np.maximum(plane_variance, 0) * np.maximum(template_variance, 0))
        overlap = self._at_shifts(self._inside * counts) / cells.sum()
        valid = (contrast > MIN_CONTRAST * contrast.max()) & (overlap >= MIN_OVERLAP)
        return np.where(valid, covariance / np.where(valid, contrast, 1), -1.0)

    def peaks(self, correlation: Array) -> Iterator[tuple[float, Array]]:
        """Yield the highest correlations with their shifts (x, y)."""
        for _ in range(PEAKS):
            row, column = np.unravel_index(correlation.argmax(), correlation.shape)
            if correlation[row, column] <= 0:
                return
            shift = [
                at if at < side else at - padded
                for at, side, padded in zip((row, column), self._size, self._padded, strict=True)
            ]
            yield float(correlation[row, column]), np.array(shift[::-1], dtype=float)
            near = (slice(max(0, at - APART_PX), at + APART_PX + 1) for at in (row, column))
            correlation[tuple(near)] = -1.0

    def _transform(self, plane: Array) -> Array:
        return np.asarray(fft.rfft2(plane, self._padded))

    def _at_shifts(self, spectrum: Array) -> Array:
        return np.asarray(fft.irfft2(spectrum, self._padded))


def search(plane: Array, cells: CellDensity, poses: Sequence[Pose], *, keep: int) -> list[Placement]:
    """Return the best placements of cells on a plane, at most ``keep`` of each turn.

    The plane is smooth over its px. ``um_per_px`` of the poses is that of the plane.
    """
    finest = min(pose.um_per_px for pose in poses)
    largest = int(np.linalg.norm(np.subtract(*cells.box_um)) / finest) + 4
    correlator = Correlator(plane, largest)
    placements: dict[int, list[Placement]] = {}
    for pose in poses:
        placements.setdefault(pose.turn, []).extend(_place(correlator, cells, pose))
    return [best for found in placements.values() for best in _distinct(found, cells, keep)]


def _place(correlator: Correlator, cells: CellDensity, pose: Pose) -> Iterator[Placement]:
    """Yield the best placements in one pose."""
    linear = pose.linear
    corners = cells.corners_um @ linear.T
    low = np.floor(corners.min(axis=0)) - 1
    size = np.ceil(corners.max(axis=0)) + 1 - low
    bins = np.flatnonzero(cells.counts)
    number = np.repeat(bins, cells.counts.ravel()[bins].astype(int))
    counts = bin_points(cells.centres_um(number) @ linear.T - low, size)
    template = np.sqrt(ndimage.gaussian_filter(counts, 1.0))
    correlation = correlator.correlate(template, _box_mask(cells, linear, low, counts.shape), counts)
    for score, shift in correlator.peaks(correlation):
        yield Placement(np.column_stack([linear, shift - low]), score)


def _box_mask(cells: CellDensity, linear: Array, low: Array, shape: tuple[int, ...]) -> Array:
    """Return the mask of the px of a template that are in the box of the cells."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    um = (np.stack([columns, rows], axis=-1) + 0.5 + low) @ np.linalg.inv(linear).T
    top_left, bottom_right = cells.box_um
    return np.asarray(((um >= top_left) & (um <= bottom_right)).all(axis=-1), dtype=np.float32)


def _distinct(placements: list[Placement], cells: CellDensity, keep: int) -> list[Placement]:
    """Return the best placements that are not close to a better one."""
    chosen: list[Placement] = []
    for placement in sorted(placements, key=lambda each: -each.score):
        near = APART_PX * placement.um_per_px
        if all(placement.distance_um(other, cells.corners_um) > near for other in chosen):
            chosen.append(placement)
        if len(chosen) == keep:
            break
    return chosen
