"""Find what each row of a label table is about, and refuse a table of another section where that shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.coordinates import OTHER_SECTION, proven_by_coordinates, repeats_fractions
from spacrd_core.labels.ids import Names, as_text
from spacrd_core.labels.vocabulary import is_blank

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.labels.tables import LabelTable
    from spacrd_core.section.section import Section, Units

STRANGERS = 0.1  # share of label rows that may name spots without counts; real files stay under 1 %


@dataclass(frozen=True, eq=False)
class Joined:
    """What the rows of a label table are about.

    Attributes
    ----------
    places
        The index of the spot of every row, or of the unit; -1 where the section lacks it.
    units
        The bins or cells that ``places`` counts; None where it counts spots.
    notes
        What the user should know.
    """

    places: Array
    units: Units | None = None
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What a row is about: ``spot``, ``bin`` or ``cell``."""
        return self.units.kind if self.units else "spot"


def join_rows(section: Section, table: LabelTable) -> Joined:
    """Return what every label row is about.

    Raises
    ------
    LabelError
        If the table labels another section as far as its ids and numbers show.
    """
    joined = {"ids": _by_id, "positions": _by_position, "vector": _by_order}[table.kind](section, table)
    twice = pd.Series(joined.places[joined.places >= 0]).duplicated()
    if twice.any():
        raise LabelError(
            f"{table.path} labels {twice.sum()} {joined.kind}s more than once", hint=f"leave one row a {joined.kind}"
        )
    if table.kind == "vector":
        return joined
    return Joined(joined.places, joined.units, (*joined.notes, *_strangers(section, table, joined)))


def _by_order(section: Section, table: LabelTable) -> Joined:
    names = section.counts.obs_names
    order = section.counts.uns.get("counts_order", names)
    if len(order) != len(table.rows):
        raise LabelError(
            f"{table.path} holds {len(table.rows)} labels in counts order, the counts have {len(order)} spots",
            hint=OTHER_SECTION,
        )
    note = f"{table.path.name}: labels joined by row order alone; nothing proves that they are of this section"
    return Joined(names.get_indexer(pd.Index(order)), notes=(note,))


def _by_id(section: Section, table: LabelTable) -> Joined:
    """Join ids to spots, or to the bins or cells in them where more of those have such names."""
    wanted = as_text(table.rows["id"])
    found = [(names, names.places_of(wanted)) for names in Names.of(section)]
    names, places = max(found, key=lambda each: (each[1] >= 0).sum())  # the first of equals: spots
    spots = places if names.units is None else names.units.spots[places]
    known = (places >= 0) & (spots >= 0)
    proven = proven_by_coordinates(section, table.rows[known], spots[known], kind=names.kind, path=table.path)
    if proven or not names.generic:
        return Joined(places, names.units)
    note = f"{table.path.name}: labels joined by ids like {names.example} alone, which other sections have too"
    return Joined(places, names.units, (note,))


def _by_position(section: Section, table: LabelTable) -> Joined:
    obs = section.counts.obs
    if not {"array_x", "array_y"} <= set(obs.columns):
        raise LabelError(
            f"{table.path} gives labels by x and y, but this {section.platform} section has no array positions",
            hint="give a table with a column of spot ids",
        )
    ours, theirs = obs[["array_x", "array_y"]].to_numpy(dtype=float), table.rows[["x", "y"]].to_numpy(dtype=float)
    keys = _rounded(ours)
    if not keys.is_unique:
        raise LabelError(
            f"{table.path} gives labels by x and y, which do not tell this section's spots apart", hint="use spot ids"
        )
    places = keys.get_indexer(_rounded(theirs))
    found = places >= 0
    if found.any() and repeats_fractions(theirs[found], ours[places[found]], table.path):
        return Joined(places)
    note = f"{table.path.name}: labels joined by rounded x, y alone, which other sections have too"
    return Joined(places, notes=(note,))


def _rounded(positions: Array) -> pd.Index[str]:
    return pd.Index([f"{x:.0f}x{y:.0f}" for x, y in np.rint(positions) + 0.0], dtype=object)


def _strangers(section: Section, table: LabelTable, joined: Joined) -> tuple[str, ...]:
    said = table.rows[~is_blank(table.rows["value"])]
    strange = said[joined.places[said.index] < 0]
    if strange.empty:
        return ()
    names = strange["id"] if table.kind == "ids" else _rounded(strange[["x", "y"]].to_numpy(dtype=float))
    some = ", ".join(list(names[:5])) + (", ..." if len(names) > 5 else "")
    if len(strange) <= STRANGERS * len(said):
        return (f"{table.path.name}: labels for {joined.kind}s without counts, left out: {len(strange)} ({some})",)
    *spots, own = Names.of(section)
    if table.kind == "ids" and own.clashes_with(as_text(strange["id"])):
        raise LabelError(
            f"{table.path} has cells like {names.iloc[0]}, this section has cells like {own.example}: they are of two "
            "runs of Xenium's software, and numbers do not lead to names",
            hint="give labels of this bundle, or ingest the bundle that the labels are of",
        )
    lacked = f"spots this section lacks ({some})"
    if spots:
        lacked = (
            f"neither spots nor {own.kind}s of this section, which are called like {spots[0].example} and "
            f"{own.example} ({some})"
        )
    raise LabelError(f"{len(strange)} of the {len(said)} labels of {table.path} are for {lacked}", hint=OTHER_SECTION)
