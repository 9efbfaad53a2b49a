"""Look up the ids of a label table among the ids of a section's spots, bins or cells.

Ids are kept in Arrow arrays, because a section may have eleven million bins, and as many Python strings would need a
gigabyte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import Section, SubSpots

GEM_GROUP = "-1"  # suffix that 10x adds to a barcode and many tools remove
GENERIC = (  # ids that other sections may have as well
    r"^(\d+x\d+|\d+|[ACGT]{16}(-\d+)?|s_\d+um_\d+_\d+(-\d+)?|cellid_\d+(-\d+)?)$"
)
NUMBERED, NAMED = r"^\d+$", r"^[a-p]{8}-\d+$"  # Xenium cell ids before and since version 1.3


@dataclass(frozen=True, eq=False)
class SectionIds:
    """The ids of a section's spots, bins or cells.

    Attributes
    ----------
    kind
        ``spot``, ``bin`` or ``cell``.
    ids
        An Arrow array of text.
    sub_spots
        The bins or cells; None if the ids are those of spots.
    """

    kind: str
    ids: Any
    sub_spots: SubSpots | None = None

    @classmethod
    def from_section(cls, section: Section) -> list[SectionIds]:
        """Return the ids of a section's spots, then those of its bins or cells."""
        sub_spots = section.sub_spots
        spots = cls("spot", as_text(section.counts.obs_names))
        return [spots, cls(sub_spots.kind, as_text(sub_spots.ids), sub_spots)] if sub_spots else [spots]

    @property
    def generic(self) -> bool:
        """Whether other sections may have the same ids."""
        return self._all(GENERIC)

    @property
    def example(self) -> str:
        """The first id."""
        return str(self.ids[0])

    def uses_other_cell_ids(self, ids: Any) -> bool:
        """Return whether one has numbered and the other named cells, as in different versions of Xenium."""
        others = SectionIds(self.kind, ids)
        formats = ((NUMBERED, NAMED), (NAMED, NUMBERED))
        return any(self._all(own_format) and others._all(other_format) for own_format, other_format in formats)

    def find(self, ids: Any) -> NDArray[np.int64]:
        """Return the index of every id, -1 if absent; a GEM group (``-1``) at the end of an id is optional."""
        indices = _indices(ids, self.ids)
        if (indices >= 0).all():
            return indices
        stripped = _without_gem_group(self.ids)
        if pc.count_distinct(stripped).as_py() < len(stripped):
            return indices
        return _indices(_without_gem_group(ids), stripped)

    def _all(self, pattern: str) -> bool:
        return bool(len(self.ids)) and bool(pc.all(pc.match_substring_regex(self.ids, pattern)).as_py())


def as_text(ids: object) -> Any:
    """Return ids of any array type as an Arrow array of text."""
    array = pa.array(ids, from_pandas=True)
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return flat.cast(pa.large_string())


def as_series(ids: Any) -> pd.Series[str]:
    """Return an Arrow array of text as a column, without a Python string per id."""
    return pd.Series(pd.arrays.ArrowStringArray(ids))


def _indices(ids: Any, known_ids: Any) -> NDArray[np.int64]:
    indices = pc.fill_null(pc.index_in(ids, value_set=known_ids), -1)
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _without_gem_group(ids: Any) -> Any:
    return pc.replace_substring_regex(ids, pattern=f"{GEM_GROUP}$", replacement="")
