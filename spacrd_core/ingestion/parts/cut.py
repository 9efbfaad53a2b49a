"""Cut a part of a capture area: its spots, and the bins or cells in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np

from spacrd_core.section.section import SubSpots

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.section.section import Section, Source


def cut(section: Section, inside: Array, region: Source, notes: tuple[str, ...]) -> Section:
    """Return the part of a section that some of its spots are; the slide and its frame stay whole.

    ``counts_order`` keeps all spots of the capture area, so that labels of the whole can be joined to the part later.
    """
    counts = section.counts
    rows = np.flatnonzero(inside)
    part = ad.AnnData(
        X=counts.X[rows],
        obs=counts.obs.iloc[rows].copy(),
        var=counts.var.copy(),
        uns={"counts_order": counts.obs_names.to_numpy(dtype=object), **counts.uns},
    )
    return replace(
        section,
        counts=part,
        sub_spots=_sub_spots(section.sub_spots, inside),
        sources=(*section.sources, region),
        notes=(*section.notes, *notes),
    )


def _sub_spots(sub_spots: SubSpots | None, inside: Array) -> SubSpots | None:
    """Return the bins or cells of the spots in a part; those outside all spots belong to no part."""
    if sub_spots is None:
        return None
    new_index = np.append(np.where(inside, np.cumsum(inside) - 1, -1), -1).astype(np.int32)
    spots = new_index[sub_spots.spots]  # -1, for no spot, is the last
    return SubSpots(sub_spots.kind, sub_spots.ids[spots >= 0], spots[spots >= 0])
