"""Match the rows of a label table to spots, bins or cells, and refuse a table that is evidently of another section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.coordinates import OTHER_SECTION_HINT, array_positions_match, coordinates_match
from spacrd_core.labels.ids import SectionIds, as_text
from spacrd_core.labels.units import unit_hint
from spacrd_core.labels.vocabulary import is_blank
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.labels.spot_table import LabelTable
    from spacrd_core.section.section import Section, SubSpots

MAX_UNMATCHED = 0.1  # fraction of label rows for spots without counts; below 1% in real files


@dataclass(frozen=True, eq=False)
class JoinedRows:
    """The rows of a label table, matched to spots, bins or cells.

    Attributes
    ----------
    indices
        The index of every row's spot, bin or cell; -1 if the section does not have it.
    sub_spots
        The bins or cells that ``indices`` refers to; None if it refers to spots.
    notes
        Sentences for the user.
    """

    indices: Array
    sub_spots: SubSpots | None = None
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``spot``, ``bin`` or ``cell``."""
        return self.sub_spots.kind if self.sub_spots else "spot"


def join_rows(section: Section, table: LabelTable) -> JoinedRows:
    """Return the rows of a label table matched to a section.

    Raises
    ------
    LabelError
        If the ids or coordinates of the table show that it is of another section.
    """
    joined = {"ids": _by_id, "positions": _by_position, "vector": _by_order}[table.kind](section, table)
    repeated = pd.Series(joined.indices[joined.indices >= 0]).duplicated()
    if repeated.any():
        raise LabelError(
            f"{table.path} labels {repeated.sum()} {joined.kind}s more than once",
            hint=f"leave one row per {joined.kind}",
        )
    if table.kind == "vector":
        return joined
    return JoinedRows(joined.indices, joined.sub_spots, (*joined.notes, *_unmatched_note(section, table, joined)))


def _by_order(section: Section, table: LabelTable) -> JoinedRows:
    names = section.counts.obs_names
    order = section.counts.uns.get("counts_order", names)
    if len(order) != len(table.rows):
        raise LabelError(
            f"{table.path} has {len(table.rows)} labels in counts order, but the counts have {len(order)} spots",
            hint=OTHER_SECTION_HINT,
        )
    note = f"{table.path.name}: labels matched by row order only, which cannot confirm that they are from this section"
    return JoinedRows(names.get_indexer(pd.Index(order)), notes=(note,))


def _by_id(section: Section, table: LabelTable) -> JoinedRows:
    """Match ids to spots, or to bins or cells if more of those have these ids."""
    row_ids = as_text(table.rows["id"])
    matches = [(ids, ids.find(row_ids)) for ids in SectionIds.from_section(section)]
    ids, indices = max(matches, key=lambda match: (match[1] >= 0).sum())  # the first if equal: spots
    spots = indices if ids.sub_spots is None else ids.sub_spots.spots[indices]
    matched = (indices >= 0) & (spots >= 0)
    confirmed = coordinates_match(section, table.rows[matched], spots[matched], kind=ids.kind, path=table.path)
    if confirmed or not ids.generic:
        return JoinedRows(indices, ids.sub_spots)
    note = f"{table.path.name}: labels matched only by ids like {ids.example}, which other sections may have as well"
    return JoinedRows(indices, ids.sub_spots, (note,))


def _by_position(section: Section, table: LabelTable) -> JoinedRows:
    obs = section.counts.obs
    if not {"array_x", "array_y"} <= set(obs.columns):
        raise LabelError(
            f"{table.path} has labels by x and y, but this {section.platform} section has no array positions",
            hint="give a table with a column of spot ids",
        )
    own = obs[["array_x", "array_y"]].to_numpy(dtype=float)
    positions = table.rows[["x", "y"]].to_numpy(dtype=float)
    keys = _position_keys(own)
    if not keys.is_unique:
        raise LabelError(
            f"{table.path} has labels by x and y, but spots of this section have the same rounded positions",
            hint="use spot ids",
        )
    indices = keys.get_indexer(_position_keys(positions))
    matched = indices >= 0
    if matched.any() and array_positions_match(positions[matched], own[indices[matched]], table.path):
        return JoinedRows(indices)
    note = f"{table.path.name}: labels matched only by rounded x, y, which other sections may have as well"
    return JoinedRows(indices, notes=(note,))


def _position_keys(positions: Array) -> pd.Index[str]:
    return pd.Index([f"{x:.0f}x{y:.0f}" for x, y in np.rint(positions) + 0.0], dtype=object)


def _position_series(rows: pd.DataFrame) -> pd.Series[str]:
    return pd.Series(_position_keys(rows[["x", "y"]].to_numpy(dtype=float)))


def _unmatched_note(section: Section, table: LabelTable, joined: JoinedRows) -> tuple[str, ...]:
    """Return a note on labelled rows without a match; refuse the table if there are many."""
    labelled = table.rows[~is_blank(table.rows["value"])]
    unmatched = labelled[joined.indices[labelled.index] < 0]
    unmatched, part_notes = _without_other_parts(section, table, unmatched)
    if unmatched.empty:
        return part_notes
    ids = unmatched["id"] if table.kind == "ids" else _position_series(unmatched)
    examples = ", ".join(map(shortened, ids[:5])) + (", ..." if len(ids) > 5 else "")
    if len(unmatched) <= MAX_UNMATCHED * len(labelled):
        return (
            *part_notes,
            f"{table.path.name}: labels for {joined.kind}s without counts, left out: {len(unmatched)} ({examples})",
        )
    *spot_ids, own_ids = SectionIds.from_section(section)
    if table.kind == "ids" and own_ids.uses_other_cell_ids(as_text(unmatched["id"])):
        raise LabelError(
            f"{table.path} has cell ids like {shortened(ids.iloc[0])}, this section has cell ids like "
            f"{shortened(own_ids.example)}: they are from two versions of Xenium's software, and cannot be matched",
            hint="give labels of this bundle, or ingest the bundle of the labels",
        )
    missing = f"spots that are not in this section ({examples})"
    if spot_ids:
        missing = (
            f"neither spots nor {own_ids.kind}s of this section, which have ids like {spot_ids[0].example} and "
            f"{own_ids.example} ({examples})"
        )
    count = f"{len(unmatched)} of the {len(labelled)} labels"
    hint = unit_hint(str(ids.iloc[0]), section) or OTHER_SECTION_HINT
    raise LabelError(f"{count} of {table.path} are for {missing}", hint=hint)


def _without_other_parts(
    section: Section, table: LabelTable, unmatched: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows without a match that are not of another part of the capture area, and a note on those."""
    is_part = any(source.role == "region" for source in section.sources)
    if not is_part or table.kind != "ids" or unmatched.empty:
        return unmatched, ()
    area = SectionIds("spot", as_text(section.counts.uns["counts_order"]))
    elsewhere = area.find(as_text(unmatched["id"])) >= 0
    note = f"{table.path.name}: labels of other parts of the capture area, left out: {elsewhere.sum()}"
    return unmatched[~elsewhere], (note,) if elsewhere.any() else ()
