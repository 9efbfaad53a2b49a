"""Whether two sections are of one measurement, whatever they are called: by their counts, and by slide and spots."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    import anndata as ad
    import pandas as pd

    from spacrd_core.arrays import Array
    from spacrd_core.store.manifest import SectionEntry

TABLE_KEY = "content"  # in a spot table's attrs


def content_checksums(entry: SectionEntry, adata: ad.AnnData) -> tuple[str, ...]:
    """Return checksums of a section: ``counts:`` of its counts, ``slide:`` of its image file and the spots on it.

    They do not depend on the name, patient, labels, order of spots and genes, or how genes are named. What the section
    lacks has no checksum.
    """
    checksums = []
    counts = sparse.csr_matrix(adata.X)
    if counts.count_nonzero():
        totals, detected = (np.asarray(values.sum(axis=1, dtype=np.float64)) for values in (counts, counts != 0))
        checksums.append(f"counts:{_digest(np.hstack([totals.round(3), detected]))}")
    image = next((source.sha256 for source in entry.sources if source.role == "image"), "")
    if entry.slide and image:
        places = adata.obs[["x_um", "y_um"]].to_numpy(dtype=float).round()
        checksums.append(f"slide:{_digest(places, image)}")
    return tuple(checksums)


def attach_content(checksums: tuple[str, ...], table: pd.DataFrame) -> None:
    """Store the checksums of a section in its spot table, so that they are not computed again for every output."""
    table.attrs[TABLE_KEY] = list(checksums)


def stored_content(table: pd.DataFrame) -> tuple[str, ...] | None:
    """Return the checksums stored in a spot table; None if an earlier version called it."""
    stored = table.attrs.get(TABLE_KEY)
    return None if stored is None else tuple(stored)


def _digest(rows: Array, text: str = "") -> str:
    """Return a checksum of rows in any order."""
    ordered = rows[np.lexsort(rows.T)].astype(np.float64)
    return hashlib.sha256(text.encode() + ordered.tobytes()).hexdigest()[:32]
