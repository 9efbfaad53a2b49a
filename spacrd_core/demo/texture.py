"""Textures of simulated tissue: cloudy noise, wavy fibres, and foam-like cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float32]


def enlarge(plane: NDArray[np.floating], shape: tuple[int, ...]) -> Plane:
    """Return a plane resized with bicubic interpolation."""
    picture = Image.fromarray(np.asarray(plane, dtype=np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def noise(rng: np.random.Generator, shape: tuple[int, ...], *, grain: float) -> Plane:
    """Return noise with mean 0, variance of about 1 and a grain size of ``grain`` px."""
    coarse = (int(shape[0] / grain) + 2, int(shape[1] / grain) + 2)
    return enlarge(1.3 * rng.standard_normal(coarse, dtype=np.float32), shape)


def fibres(rng: np.random.Generator, shape: tuple[int, ...], *, um_per_px: float, angle: float) -> Plane:
    """Return wavy collagen strands across a direction: 0 between strands, 1 on them."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * np.float32(um_per_px * np.sin(angle))
    columns = np.arange(shape[1], dtype=np.float32)[None, :] * np.float32(um_per_px * np.cos(angle))
    bend = 110 * noise(rng, shape, grain=350 / um_per_px) + 8 * noise(rng, shape, grain=40 / um_per_px)
    coarse = np.sin((rows + columns + bend) * np.float32(2 * np.pi / 34.0))
    fine = np.sin((rows + columns + 0.8 * bend) * np.float32(2 * np.pi / 13.0))
    patchy = 0.8 + 0.5 * noise(rng, shape, grain=25 / um_per_px)
    return np.asarray(np.clip((0.5 + 0.3 * coarse + 0.25 * fine) * patchy, 0.0, 1.0))


def cells(
    rng: np.random.Generator, where: NDArray[np.bool_], *, um_per_px: float, spacing_um: float
) -> tuple[Plane, Plane]:
    """Return the distance in um to the nearest cell centre, and how much farther the second one is (0 on a membrane).

    Both are computed at every second pixel of the mask ``where`` and are 0 elsewhere.
    """
    from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy, used here only

    mask = where[::2, ::2]
    rows, columns = np.mgrid[: mask.shape[0] * 2 * um_per_px : spacing_um, : mask.shape[1] * 2 * um_per_px : spacing_um]
    centres = np.column_stack([rows.ravel(), columns.ravel()])
    centres += rng.uniform(-0.42, 0.42, centres.shape) * spacing_um
    near, margin = np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
    distances, _ = cKDTree(centres).query(np.argwhere(mask) * 2 * um_per_px, k=2)
    near[mask], margin[mask] = distances[:, 0], distances[:, 1] - distances[:, 0]
    return enlarge(near, where.shape), enlarge(margin, where.shape)
