"""Look up the ids of a label table among the names a section has: its spots', or its bins' or cells'.

Names stay in Arrow's arrays: a section may have eleven million bins, and as many Python strings would fill a gigabyte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import Section, Units

GEM_GROUP = "-1"  # what 10x writes behind a barcode, and many tools strip
GENERIC = (  # ids that other sections have too
    r"^(\d+x\d+|\d+|[ACGT]{16}(-\d+)?|s_\d+um_\d+_\d+(-\d+)?|cellid_\d+(-\d+)?)$"
)
NUMBERED, NAMED = r"^\d+$", r"^[a-p]{8}-\d+$"  # Xenium's cells before and since version 1.3


@dataclass(frozen=True, eq=False)
class Names:
    """What ids may name in a section.

    Attributes
    ----------
    kind
        ``spot``, ``bin`` or ``cell``.
    ids
        An Arrow array of text.
    units
        Which spot each belongs to; None where they are the spots.
    """

    kind: str
    ids: Any
    units: Units | None = None

    @classmethod
    def of(cls, section: Section) -> list[Names]:
        """Return the names of a section's spots, then those of its units."""
        units = section.units
        spots = cls("spot", as_text(section.counts.obs_names))
        return [spots, cls(units.kind, as_text(units.ids), units)] if units else [spots]

    @property
    def generic(self) -> bool:
        """Whether all are such as other sections have, too."""
        return self._all(GENERIC)

    @property
    def example(self) -> str:
        """The first of them."""
        return str(self.ids[0])

    def clashes_with(self, wanted: Any) -> bool:
        """Return whether the cells of one are numbered and those of the other named, as Xenium's versions do."""
        theirs = Names(self.kind, wanted)
        return any(self._all(ours) and theirs._all(other) for ours, other in ((NUMBERED, NAMED), (NAMED, NUMBERED)))

    def places_of(self, wanted: Any) -> NDArray[np.int64]:
        """Return the place of every wanted id, -1 for none; a ``-1`` at the end of some is forgiven."""
        places = _places(wanted, self.ids)
        if (places >= 0).all():
            return places
        bare = _bare(self.ids)
        return _places(_bare(wanted), bare) if pc.count_distinct(bare).as_py() == len(bare) else places

    def _all(self, pattern: str) -> bool:
        return bool(len(self.ids)) and bool(pc.all(pc.match_substring_regex(self.ids, pattern)).as_py())


def as_text(ids: object) -> Any:
    """Return names of whatever kind as an Arrow array of text."""
    found = pa.array(ids, from_pandas=True)
    flat = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return flat.cast(pa.large_string())


def _places(wanted: Any, ids: Any) -> NDArray[np.int64]:
    found = pc.fill_null(pc.index_in(wanted, value_set=ids), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _bare(ids: Any) -> Any:
    return pc.replace_substring_regex(ids, pattern=f"{GEM_GROUP}$", replacement="")
