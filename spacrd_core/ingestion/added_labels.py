"""Add the labels of a file to those that a section has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.labels.attach import LABEL_COLUMNS
from spacrd_core.section.section import Section, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.store.manifest import SectionEntry


def add_to_earlier(labelled: Section, spots: pd.DataFrame, entry: SectionEntry) -> Section:
    """Return a section with its earlier labels at the spots of which its label file says nothing.

    ``spots`` has the earlier labels. A file says something of a spot that it labels, or whose text means unknown: that
    ends an earlier label.
    """
    counts = labelled.counts.copy()
    new, before = counts.obs, spots.loc[counts.obs_names]
    says_nothing = new["label"].isna() & (new["annotation"].astype(object).fillna("") == "")
    kept = says_nothing.to_numpy()
    names = [name for name in LABEL_COLUMNS if name in new or name in before]
    columns = {name: np.where(kept, _column(before, name), _column(new, name)) for name in names}
    table = pd.DataFrame(columns, index=new.index).infer_objects()
    table["label"] = pd.Categorical(table["label"], categories=["cancer", "normal"])
    if "label_fraction" in table:  # of cells or bins; a spot that was labelled as a whole is all of its class
        whole = (table["label"] == "cancer").astype(float).where(table["label"].notna())
        table["label_fraction"] = table["label_fraction"].astype(float).fillna(whole)
    counts.obs = new.drop(columns=list(LABEL_COLUMNS), errors="ignore").join(table)
    earlier = [Source("labels", Path(each.path), each.sha256) for each in entry.sources if each.role == "labels"]
    added = [source for source in labelled.sources if source.role == "labels"]
    others = [source for source in labelled.sources if source.role != "labels"]
    count = int(before["label"][kept].notna().sum())
    note = f"{added[-1].path.name}: {count} labels of {entry.label_source} were kept"
    notes = (*entry.label_notes, *labelled.label_notes, note)
    return replace(
        labelled,
        counts=counts,
        sources=(*others, *(source for source in earlier if source.sha256 != added[-1].sha256), *added),
        notes=notes,
        label_notes=notes,
    )


def same_labels(labelled: Section, spots: pd.DataFrame) -> bool:
    """Return whether the labels of a section are those that it had."""
    new, before = labelled.counts.obs, spots.loc[labelled.counts.obs_names]
    return all(_column(new, name).tolist() == _column(before, name).tolist() for name in ("label", "annotation"))


def _column(table: pd.DataFrame, name: str) -> NDArray[np.object_]:
    empty = {"annotation": "", "label_contested": False, "label_source": ""}.get(name)
    if name not in table:
        return np.full(len(table), empty, dtype=object)
    column = table[name].astype(object)
    return np.where(column.notna(), column, np.array(empty, dtype=object))
