"""Detect x and y exchanged in the positions of a lattice, on any platform.

Exchanging them mirrors the array on its image. A mirrored array alone is not proof, because images can be mirrored too;
but then the spots are on the stained part of the image, and with x and y exchanged they are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_dilation
from scipy.stats import rankdata

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.images.sample import ImageSample
    from spacrd_core.section.section import Section, SlideFile

MIN_IMPROVEMENT = 0.1  # of the agreement of spots and stain; tissue exceeds chance by 0.3 or more
MIN_INSIDE = 0.9  # share of the spots on the image, for positions to be possible at all


def mirrored_lattice(
    section: Section, slide: SlideFile, sample: ImageSample
) -> tuple[GeometryError | None, tuple[str, ...]]:
    """Return an error if the array is mirrored and x and y are evidently exchanged, or a note if that is undecided."""
    if not _is_mirrored(section):
        return None, ()
    xy_px = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float) * slide.scale
    pitch_px = section.pitch_um / slide.um_per_px
    as_is, exchanged = (_agreement(sample, points, pitch_px) for points in (xy_px, xy_px[:, ::-1]))
    if exchanged > as_is + MIN_IMPROVEMENT:
        return _exchanged_error(section, slide), ()
    if as_is > exchanged + MIN_IMPROVEMENT:
        return None, ()
    return None, (
        "the array is mirrored on the image: either the image is mirrored, or x and y of the positions are exchanged",
    )


def _is_mirrored(section: Section) -> bool:
    """Return whether the array is mirrored in the platform's own axes: an H&E of a Xenium may be mirrored to them."""
    obs = section.counts.obs
    if not {"array_x", "array_y"} <= set(obs.columns):
        return False
    try:
        fit = fit_affine(obs[["array_x", "array_y"]].to_numpy(dtype=float), obs[["x_um", "y_um"]].to_numpy(dtype=float))
    except GeometryError:
        return False
    return bool(np.linalg.det(fit.matrix) < 0)


def _exchanged_error(section: Section, slide: SlideFile) -> GeometryError:
    roles = {source.role: source.path for source in section.sources}
    path = roles.get("positions") or roles.get("counts") or "the section"
    return GeometryError(
        f"x and y of the positions in {path} are exchanged: the array is mirrored, and its spots are on the stained "
        f"part of {slide.path.name} with x and y exchanged, not as they are",
        hint="exchange the two columns of the positions (in AnnData: obsm['spatial'][:, ::-1])",
    )


def _agreement(sample: ImageSample, points: Array, pitch_px: float) -> float:
    """Return the AUC of colour for the cells with spots against the others; 0 if the spots leave the image."""
    inside = ((points >= 0) & (points < (sample.width, sample.height))).all(axis=1)
    if inside.mean() < MIN_INSIDE:
        return 0.0
    down, across = sample.chroma.shape
    column, row = (points[inside] / (sample.width, sample.height) * (across, down)).astype(int).T
    covered = np.zeros((down, across), dtype=bool)
    covered[row, column] = True
    reach = max(1, round(pitch_px / max(sample.width / across, sample.height / down)))  # cells between two spots
    if reach > 1:
        covered = binary_dilation(covered, iterations=reach // 2)
    count = int(covered.sum())
    if count in (0, covered.size):
        return 0.5
    ranks = rankdata(sample.chroma)[covered.ravel()].sum() - count * (count + 1) / 2
    return float(ranks / (count * (covered.size - count)))
