"""Aggregate labels of bins or cells to labels of the spots that contain them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.labels.cancer_fraction import DEFAULT_CANCER_FRACTION, is_cancer
from spacrd_core.labels.vocabulary import is_blank

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.labels.join import JoinedRows
    from spacrd_core.labels.spot_table import LabelTable
    from spacrd_core.section.section import SubSpots


def label_by_sub_spots(
    table: LabelTable, meanings: pd.Series[str], joined: JoinedRows, sub_spots: SubSpots, count: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the label columns of ``count`` spots, and notes for the user."""
    spots = np.where(joined.indices >= 0, sub_spots.spots[joined.indices], -1)
    cancer, normal = (_count_per_spot(spots[(meanings == label).to_numpy()], count) for label in ("cancer", "normal"))
    labelled = cancer + normal
    fraction = np.divide(cancer, labelled, out=np.full(count, np.nan), where=labelled > 0)
    mostly_outside = _mostly_outside(table, sub_spots, labelled)
    fraction[mostly_outside] = np.nan
    label = np.where(is_cancer(fraction), "cancer", "normal").astype(object)
    label[(labelled == 0) | mostly_outside] = None
    with_text = (spots >= 0) & ~is_blank(table.rows["value"])
    columns = pd.DataFrame(
        {
            "label": label,
            "annotation": _most_common(spots[with_text], table.rows["value"][with_text], count),
            "label_contested": False,
            "label_fraction": fraction,
            "n_labelled": labelled,
        }
    )
    return columns, (*_notes(table, joined, spots, labelled), *_outside_notes(table, mostly_outside))


def _mostly_outside(table: LabelTable, sub_spots: SubSpots, labelled: Array) -> Array:
    """Return the mask of spots with fewer than half of their cells inside drawn outlines, but some."""
    if not table.drawn:
        return np.zeros(len(labelled), dtype=bool)
    mask: Array = (labelled > 0) & (2 * labelled < _count_per_spot(sub_spots.spots, len(labelled)))
    return mask


def _outside_notes(table: LabelTable, mostly_outside: Array) -> tuple[str, ...]:
    note = f"{table.path.name}: spots with less than half of their cells in selections, without a label: "
    return (f"{note}{mostly_outside.sum()}",) if mostly_outside.any() else ()


def _count_per_spot(spots: Array, count: int) -> Array:
    return np.bincount(spots[spots >= 0], minlength=count)


def _most_common(spots: Array, texts: pd.Series[str], count: int) -> Array:
    """Return the most common text of every spot, with ties broken alphabetically; '' if there is none."""
    codes, unique = pd.factorize(texts.astype(object), sort=True)
    pairs, tallies = np.unique(spots.astype(np.int64) * max(len(unique), 1) + codes, return_counts=True)
    spot, code = np.divmod(pairs, max(len(unique), 1))
    order = np.lexsort((code, -tallies, spot))
    first = order[np.unique(spot[order], return_index=True)[1]]
    most_common = np.full(count, "", dtype=object)
    most_common[spot[first]] = unique.to_numpy(dtype=object)[code[first]]
    return most_common


def _notes(table: LabelTable, joined: JoinedRows, spots: Array, labelled: Array) -> tuple[str, ...]:
    name, kind, count = table.path.name, joined.kind, len(labelled)
    rule = f"a spot is cancer if at least {DEFAULT_CANCER_FRACTION:.0%} of its labelled {kind}s are"
    notes = [f"{name}: labels of {(spots >= 0).sum()} {kind}s; {rule}"]
    if outside := int(((joined.indices >= 0) & (spots < 0)).sum()):
        notes.append(f"{name}: labels of {kind}s outside all spots, left out: {outside}")
    if unlabelled := int((labelled == 0).sum()):
        absent = int((_count_per_spot(spots, count) == 0).sum())
        reasons = f"{absent} without a {kind} in the table, {unlabelled - absent} only with {kind}s of unknown label"
        notes.append(f"{name}: {unlabelled} of {count} spots have no label ({reasons})")
    if kind == "cell" and not table.drawn:
        notes.append(
            f"{name}: cell types are often derived from gene expression, which a detector trained on them would recover"
        )
    return tuple(notes)
