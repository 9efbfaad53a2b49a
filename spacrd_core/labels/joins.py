"""Find the spot each row of a label table is about, and refuse a table of another section where that shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.words import is_blank

if TYPE_CHECKING:
    from spacrd_core.labels.tables import LabelTable
    from spacrd_core.section import Section

Array = np.ndarray[Any, Any]
OTHER_SECTION = "is it the file of this section? check --labels"
STRANGERS = 0.1  # share of label rows that may name spots without counts; real files stay under 1 %
OFFSET = 0.01  # array steps; a section's own file repeats its coordinates, that of another is off by 0.02 or more
GENERIC = r"\d+x\d+|\d+"  # ids that every section has


def place_rows(section: Section, table: LabelTable) -> tuple[Array, tuple[str, ...]]:
    """Return the index of the spot of every label row, -1 where the section lacks it, and what the user should know.

    Raises
    ------
    LabelError
        If the table labels another section as far as its numbers show.
    """
    places, notes = {"ids": _by_id, "positions": _by_position, "vector": _by_order}[table.kind](section, table)
    twice = pd.Series(places[places >= 0]).duplicated()
    if twice.any():
        raise LabelError(f"{table.path} labels {twice.sum()} spots more than once", hint="leave one row a spot")
    if table.kind != "vector":
        notes = (*notes, *_strangers(table, places))
    return places, notes


def _by_order(section: Section, table: LabelTable) -> tuple[Array, tuple[str, ...]]:
    names = section.counts.obs_names
    order = section.counts.uns.get("counts_order", names)
    if len(order) != len(table.rows):
        raise LabelError(
            f"{table.path} holds {len(table.rows)} labels in counts order, the counts have {len(order)} spots",
            hint=OTHER_SECTION,
        )
    note = f"{table.path.name}: labels joined by row order alone; nothing proves that they are of this section"
    return names.get_indexer(pd.Index(order)), (note,)


def _by_id(section: Section, table: LabelTable) -> tuple[Array, tuple[str, ...]]:
    names, wanted = section.counts.obs_names, pd.Index(table.rows["id"])
    places = names.get_indexer(wanted)
    bare = names.str.removesuffix("-1")  # the gem group, which many tools strip
    if (places < 0).any() and bare.is_unique:
        places = bare.get_indexer(wanted.str.removesuffix("-1"))
    if not names.str.fullmatch(GENERIC).all():
        return places, ()
    return places, (f"{table.path.name}: labels joined by ids like {names[0]} alone, which other sections have too",)


def _by_position(section: Section, table: LabelTable) -> tuple[Array, tuple[str, ...]]:
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
    if not found.any() or not (_fractional(ours) and _fractional(theirs)):
        note = f"{table.path.name}: labels joined by rounded x, y alone, which other sections have too"
        return places, (note,)
    offset = float(np.median(np.abs(theirs[found] - ours[places[found]])))
    if offset > OFFSET:
        raise LabelError(
            f"the x, y of {table.path} are {offset:.3f} array steps off this section's spots (median), not 0",
            hint=OTHER_SECTION,
        )
    return places, ()


def _rounded(positions: Array) -> pd.Index[str]:
    return pd.Index([f"{x:.0f}x{y:.0f}" for x, y in np.rint(positions) + 0.0], dtype=object)


def _fractional(positions: Array) -> bool:
    return bool((positions != np.round(positions)).any())


def _strangers(table: LabelTable, places: Array) -> tuple[str, ...]:
    said = table.rows[~is_blank(table.rows["value"]).to_numpy()]
    strange = said[places[said.index] < 0]
    if strange.empty:
        return ()
    names = strange["id"] if table.kind == "ids" else _rounded(strange[["x", "y"]].to_numpy(dtype=float))
    some = ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")
    if len(strange) > STRANGERS * len(said):
        raise LabelError(
            f"{len(strange)} of the {len(said)} labels of {table.path} are for spots this section lacks ({some})",
            hint=OTHER_SECTION,
        )
    return (f"{table.path.name}: labels for spots without counts, left out: {len(strange)} ({some})",)
