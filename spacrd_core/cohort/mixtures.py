"""Sections cut to other shares of tumour, from their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.section_data import SectionData

KEPT_SHARES = (0.0, 0.1, 0.25, 0.5)  # of one class in a mixture


def mixture_masks(section: SectionData) -> Iterator[Array]:
    """Yield masks of a section's labelled spots: all of them, then with smaller shares of one class or the other.

    The remaining spots of the reduced class are contiguous.
    """
    known = section.labels >= 0
    yield known
    for label in (0, 1):
        members = np.flatnonzero(section.labels == label)
        across = members[np.argsort(section.xy_um[members].sum(axis=1), kind="stable")]
        for share in KEPT_SHARES:
            mask = known.copy()
            mask[across[round(share * len(across)) :]] = False
            yield mask
