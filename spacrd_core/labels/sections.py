"""Tell the sections in one label table apart: by a sample column, or by what merged ids have around the barcode.

Loupe numbers the sections of an aggregated run (``-1``, ``-2``), other tools add the name of the sample before or
after the barcode. Barcodes are the same on every slide, so rows of another section would match in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spacrd_core.errors import LabelError
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

SECTION_COLUMNS = (
    *("sample", "sample_id", "sample id", "sample_name", "samplename", "section", "section_id", "section id"),
    *("slide", "slide_id", "slide id", "library", "library_id", "library id", "orig.ident", "capture_area", "batch"),
)
CORE = r"[ACGT]{14,}|s_\d+um_\d+_\d+|cellid_\d+|[a-p]{8}|\d+x\d+"  # an id as its own run has it
MERGED_ID = rf"^((?:.*[^A-Za-z0-9])?)({CORE})((?:[^A-Za-z0-9].*)?)$"  # with what is before and after
PLAIN_ID = rf"^(?:{CORE})(?:-1)?$"  # several times faster to match
OWN = "*"  # stands for the id in a marker, such as "*-2" or "S1_*-1"
PLAIN_MARKERS = frozenset((f"{OWN}-1", OWN))  # those of every single run
SLICE_ROWS = 2**20
MAX_LISTED = 20
CHOICE_HINT = "choose one with --label-section, or in the column label_section of a cohort file"


def choose_by_column(
    table: pd.DataFrame, column: str | None, choice: str, path: Path
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows of one section, given the column that names it, and a note if other sections were left out.

    Raises
    ------
    LabelError
        If the column has several sections and none is chosen, or not the chosen one.
    """
    counts = Counter(table[column][table[column] != ""]) if column is not None else Counter()
    if len(counts) < 2 and not choice:
        return table, ()
    section = _choose(counts, choice, f"its column '{column}'", path)
    note = f"{path.name}: labels of {len(counts)} sections; those of {section} were taken: {listed(counts)}"
    return table[table[column] == section].reset_index(drop=True), (note,) if len(counts) > 1 else ()


def choose_by_marker(ids: Any, choice: str, path: Path) -> tuple[NDArray[np.bool_], Any, tuple[str, ...]]:
    """Return the mask of the rows of the chosen section, the ids without their marker, and a note."""
    counts = marker_counts(ids)
    section = _choose(counts, choice, "its ids", path)
    note = f"{path.name}: labels of {len(counts)} sections; those of {display(section)} were taken: {listed(counts)}"
    mask = has_marker(ids, [section]) if len(counts) > 1 else np.ones(len(ids), dtype=bool)
    return mask, without_marker(ids), (note,) if len(counts) > 1 else ()


def marker_counts(ids: Any) -> Counter[str]:
    """Return the number of ids by what they have around the barcode; empty if they are not all such ids."""
    counts: Counter[str] = Counter()
    for start in range(0, len(ids), SLICE_ROWS):
        rows = ids.slice(start, SLICE_ROWS)
        if pc.all(pc.match_substring_regex(rows, PLAIN_ID)).as_py():
            counts[f"{OWN}-1"] += len(rows)
            continue
        if not pc.all(pc.match_substring_regex(rows, MERGED_ID)).as_py():
            return Counter()
        for entry in pc.value_counts(_markers(rows)).to_pylist():
            counts[entry["values"]] += entry["counts"]
    if set(counts) <= PLAIN_MARKERS:  # with and without the optional suffix of a single run
        return Counter({f"{OWN}-1": counts.total()} if counts else {})
    return counts


def without_marker(ids: Any, marker: str = OWN) -> Any:
    """Return ids as their own run has them, or with another marker."""
    before, _, after = marker.replace("\\", r"\\").partition(OWN)
    return pc.replace_substring_regex(ids, pattern=MERGED_ID, replacement=rf"{before}\2{after}")


def has_marker(ids: Any, markers: Sequence[str]) -> NDArray[np.bool_]:
    """Return the mask of the ids with one of some markers."""
    mask: NDArray[np.bool_] = pc.is_in(_markers(ids), value_set=pa.array(markers, pa.large_string())).to_numpy(
        zero_copy_only=False
    )
    return mask


def display(marker: str) -> str:
    """Return what a user calls a section: ``-2``, ``S1_``, ``_2``; the marker if it has text on both sides."""
    before, _, after = marker.partition(OWN)
    after = re.sub(r"^-1(?=\D)", "", after)  # a merge adds its number to the suffix of the run
    return (before if after in ("", "-1") else "") or (after if not before else "") or marker


def listed(counts: Mapping[str, int]) -> str:
    """Return the sections and their numbers of rows for a message."""
    shown = [f"{shortened(display(name))} ({count})" for name, count in sorted(counts.items())]
    return ", ".join(shown[:MAX_LISTED]) + (f" and {len(shown) - MAX_LISTED} more" if len(shown) > MAX_LISTED else "")


def _markers(ids: Any) -> Any:
    return pc.replace_substring_regex(ids, pattern=MERGED_ID, replacement=rf"\1{OWN}\3")


def _choose(counts: Mapping[str, int], choice: str, place: str, path: Path) -> str:
    if not choice:
        raise several_sections(counts, place, path)
    matches = [name for name in counts if choice in {name, display(name)}] or [
        name for name in counts if _bare(choice) and _bare(choice) == _bare(display(name))
    ]
    if len(matches) == 1:
        return matches[0]
    there = f"{place} have those of {listed(counts)}" if counts else "it does not tell sections apart"
    raise LabelError(
        f"the label file {path} has no labels of the section '{shortened(choice)}': {there}",
        hint="check --label-section",
    )


def several_sections(counts: Mapping[str, int], place: str, path: Path) -> LabelError:
    """Return the error for a table of several sections, with the choices."""
    example = display(min(counts))
    return LabelError(
        f"the label file {path} has labels of {len(counts)} sections, by {place}: {listed(counts)}",
        hint=f"{CHOICE_HINT}: --label-section {example}",
    )


def _bare(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
