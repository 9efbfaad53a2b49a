"""From labels of bins or cells to labels of the spots they were summed into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.labels.vocabulary import is_blank

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.labels.join import Joined
    from spacrd_core.labels.tables import LabelTable
    from spacrd_core.section.section import Units

CANCER_SHARE = 0.5  # a spot is called cancer where this share of its labelled units is, or more


def label_by_units(
    table: LabelTable, meanings: pd.Series[str], joined: Joined, units: Units, count: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the label columns of ``count`` spots, and what the user should know."""
    spots = np.where(joined.places >= 0, units.spots[joined.places], -1)
    cancer, normal = (_counted(spots[(meanings == label).to_numpy()], count) for label in ("cancer", "normal"))
    labelled = cancer + normal
    fraction = np.divide(cancer, labelled, out=np.full(count, np.nan), where=labelled > 0)
    label = np.where(fraction >= CANCER_SHARE, "cancer", "normal").astype(object)
    label[labelled == 0] = None
    rows = (spots >= 0) & ~is_blank(table.rows["value"])
    columns = pd.DataFrame(
        {
            "label": label,
            "annotation": _commonest(spots[rows], table.rows["value"][rows], count),
            "label_contested": False,
            "label_fraction": fraction,
            "n_labelled": labelled,
        }
    )
    return columns, _notes(table, joined, spots, labelled)


def _counted(spots: Array, count: int) -> Array:
    return np.bincount(spots[spots >= 0], minlength=count)


def _commonest(spots: Array, texts: pd.Series[str], count: int) -> Array:
    """Return the most common text of every spot, the first by the alphabet of equals; '' where there is none."""
    codes, found = pd.factorize(texts.astype(object), sort=True)
    pairs, tally = np.unique(spots.astype(np.int64) * max(len(found), 1) + codes, return_counts=True)
    spot, code = np.divmod(pairs, max(len(found), 1))
    order = np.lexsort((code, -tally, spot))
    first = order[np.unique(spot[order], return_index=True)[1]]
    commonest = np.full(count, "", dtype=object)
    commonest[spot[first]] = found.to_numpy(dtype=object)[code[first]]
    return commonest


def _notes(table: LabelTable, joined: Joined, spots: Array, labelled: Array) -> tuple[str, ...]:
    name, kind, count = table.path.name, joined.kind, len(labelled)
    rule = f"a spot is cancer where {CANCER_SHARE:.0%} or more of its labelled {kind}s are"
    notes = [f"{name}: labels of {(spots >= 0).sum()} {kind}s; {rule}"]
    if outside := int(((joined.places >= 0) & (spots < 0)).sum()):
        notes.append(f"{name}: labels of {kind}s in no spot, left out: {outside}")
    if unknown := int((labelled == 0).sum()):
        bare = int((_counted(spots, count) == 0).sum())
        why = f"{bare} without a {kind} in the table, {unknown - bare} with unknown ones only"
        notes.append(f"{name}: {unknown} of {count} spots have no label ({why})")
    if kind == "cell":
        notes.append(
            f"{name}: types of cells are often told from genes, which a detector trained on them would find again"
        )
    return tuple(notes)
