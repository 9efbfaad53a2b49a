"""Take this section's rows from a label table whose ids come from a merged object, or refuse it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import LabelError
from spacrd_core.labels.ids import SectionIds, as_series, as_text
from spacrd_core.labels.sections import (
    PLAIN_MARKERS,
    SLICE_ROWS,
    display,
    has_marker,
    listed,
    marker_counts,
    several_sections,
    without_marker,
)
from spacrd_core.quoting import MAX_ITEMS, shortened

if TYPE_CHECKING:
    from spacrd_core.labels.spot_table import LabelTable
    from spacrd_core.section.section import Section


def rows_of_section(section: Section, table: LabelTable) -> tuple[LabelTable, tuple[str, ...]]:
    """Return the rows of this section, with ids as the section has them, and notes for the user.

    Raises
    ------
    LabelError
        If the table has several sections, or another one, and neither its ids nor an option says which is this one.
    """
    if table.kind != "ids":
        return table, ()
    ids = as_text(table.rows["id"])
    counts = marker_counts(ids)
    own = Counter[str]()
    for known in SectionIds.from_section(section):
        own += marker_counts(known.ids.slice(0, SLICE_ROWS))
    if not counts or not own or set(counts) <= set(own) | (PLAIN_MARKERS if set(own) & PLAIN_MARKERS else set()):
        return table, ()
    if len(counts) > 1:
        return _rows_with_own_marker(table, ids, counts, own)
    marker, own_marker = next(iter(counts)), own.most_common(1)[0][0]
    if not _is_same_run(marker, own_marker):
        raise LabelError(
            f"the label file {table.path} has labels of the section {display(marker)}, "
            f"but this section's ids look like {SectionIds.from_section(section)[0].example}",
            hint=f"if it is this section: --label-section {display(marker)}",
        )
    renamed = as_series(without_marker(ids, own_marker))
    note = f"{table.path.name}: ids like {shortened(ids[0])} were matched to ids like {shortened(renamed.iloc[0])}"
    return replace(table, rows=table.rows.assign(id=renamed)), (note,)


def _rows_with_own_marker(
    table: LabelTable, ids: Any, counts: Counter[str], own: Counter[str]
) -> tuple[LabelTable, tuple[str, ...]]:
    named = sorted(set(counts) & set(own) - PLAIN_MARKERS)
    if not named:
        raise several_sections(counts, "its ids", table.path)
    mask = has_marker(ids, named)
    shown = ", ".join(shortened(display(name)) for name in named[:MAX_ITEMS])
    note = (
        f"{table.path.name}: labels of {len(counts)} sections; those of {shown} were taken, "
        f"as the ids of this section have it: {listed(counts)}"
    )
    return replace(table, rows=table.rows[mask].reset_index(drop=True)), (note,)


def _is_same_run(marker: str, own_marker: str) -> bool:
    """Return whether ids differ only by the name of a sample before them, which one of them lacks."""
    (before, after), (own_before, own_after) = marker.split("*"), own_marker.split("*")
    return (not before or not own_before) and {after, own_after} <= {"", "-1"}
