"""Map between the um and the px of a section, for labels that are drawn in either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import Affine, fit_affine

if TYPE_CHECKING:
    from spacrd_core.section.section import Section


def px_to_um(section: Section) -> Affine:
    """Return the map from px to um, where square spots are upright; spots on one line do not determine its rotation."""
    return _fit(section, "px", "um", section.um_per_px)


def um_to_px(section: Section) -> Affine:
    """Return the map from um to px."""
    return _fit(section, "um", "px", 1 / section.um_per_px)


def _fit(section: Section, source: str, target: str, scale: float) -> Affine:
    obs = section.counts.obs
    first, second = (obs[[f"x_{unit}", f"y_{unit}"]].to_numpy(dtype=float) for unit in (source, target))
    try:
        return fit_affine(first, second)
    except GeometryError:
        return Affine(np.eye(2) * scale, (second - first * scale).mean(axis=0), 0.0)
