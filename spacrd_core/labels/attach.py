"""Attach labels to a section: ``attach_labels(section, read_labels(path), Vocabulary())``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd

from spacrd_core.labels.aggregate import label_by_sub_spots
from spacrd_core.labels.join import join_rows
from spacrd_core.labels.mask import Mask
from spacrd_core.labels.mask_labels import label_by_mask
from spacrd_core.labels.merged import rows_of_section
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.polygons import label_by_polygons
from spacrd_core.labels.word_notes import word_notes
from spacrd_core.section.section import Section, Source

if TYPE_CHECKING:
    from spacrd_core.labels.join import JoinedRows
    from spacrd_core.labels.spot_table import LabelTable
    from spacrd_core.labels.vocabulary import Vocabulary

LABEL_COLUMNS = (
    *("label", "annotation", "label_contested", "label_source"),
    *("label_fraction", "n_labelled", "label_overlap"),
)


def attach_labels(section: Section, labels: LabelTable | Polygons | Mask, vocabulary: Vocabulary) -> Section:
    """Return the section with labels: ``label``, ``annotation``, ``label_contested`` and ``label_source`` in ``obs``.

    Labels of the bins or cells in a spot add ``label_fraction`` and ``n_labelled``; polygons and masks add
    ``label_overlap``. Spots without a row, and spots with a text that means "unknown", have a missing label.

    Raises
    ------
    LabelError
        If the labels are evidently of another section, or contain a text of unknown meaning.
    """
    if isinstance(labels, Polygons):
        columns, notes = label_by_polygons(section, labels, vocabulary)
    elif isinstance(labels, Mask):
        columns, notes = label_by_mask(section, labels, vocabulary)
    else:
        columns, notes = _label_by_table(section, labels, vocabulary)
    counts = section.counts
    obs = counts.obs.drop(columns=list(LABEL_COLUMNS), errors="ignore").assign(
        **{str(name): column.to_numpy() for name, column in columns.drop(columns="label").items()},
        label=pd.Categorical(columns["label"], categories=["cancer", "normal"]),
        label_source=labels.path.name,
    )
    labelled = ad.AnnData(X=counts.X, obs=obs, var=counts.var, uns=counts.uns, obsm=counts.obsm, layers=counts.layers)
    return replace(
        section,
        counts=labelled,
        sources=(*section.sources, Source.from_path("labels", labels.path)),
        notes=(*section.notes, *labels.notes, *notes),
        label_notes=(*labels.notes, *notes),
    )


def _label_by_table(
    section: Section, table: LabelTable, vocabulary: Vocabulary
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    table, section_notes = rows_of_section(section, table)
    meanings = vocabulary.classify(table.rows["value"], table.path)
    notes = word_notes(table.rows["value"], meanings, vocabulary, table.path)
    joined = join_rows(section, table)
    if joined.sub_spots:
        columns, spot_notes = label_by_sub_spots(table, meanings, joined, joined.sub_spots, section.counts.n_obs)
    else:
        columns, spot_notes = _label_by_spots(table, meanings, joined, section.counts.n_obs)
    return columns, (*notes, *section_notes, *joined.notes, *spot_notes)


def _label_by_spots(
    table: LabelTable, meanings: pd.Series[str], joined: JoinedRows, count: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    rows = pd.DataFrame({"label": meanings, "annotation": table.rows["value"].astype(object)})
    rows["label_contested"] = table.rows["contested"]
    matched = joined.indices >= 0
    columns = rows[matched].set_index(joined.indices[matched]).reindex(range(count))
    columns["annotation"] = columns["annotation"].fillna("")
    columns["label_contested"] = columns["label_contested"].eq(True)
    without_row, unlabelled = count - int(matched.sum()), int(columns["label"].isna().sum())
    note = (
        f"{table.path.name}: {unlabelled} of {count} spots have no label "
        f"({without_row} without a row, {unlabelled - without_row} undetermined or blank)"
    )
    return columns, (note,) if unlabelled else ()
