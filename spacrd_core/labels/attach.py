"""Attach labels to a section: ``attach_labels(section, read_labels(path), Vocabulary())``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd

from spacrd_core.labels.aggregate import label_by_units
from spacrd_core.labels.join import join_rows
from spacrd_core.labels.polygons import label_by_polygons
from spacrd_core.labels.qupath import Polygons
from spacrd_core.section.section import Section, Source

if TYPE_CHECKING:
    from spacrd_core.labels.join import Joined
    from spacrd_core.labels.tables import LabelTable
    from spacrd_core.labels.vocabulary import Vocabulary

COLUMNS = (
    *("label", "annotation", "label_contested", "label_source"),
    *("label_fraction", "n_labelled", "label_overlap"),
)


def attach_labels(section: Section, labels: LabelTable | Polygons, vocabulary: Vocabulary) -> Section:
    """Return the section with labels: ``label``, ``annotation``, ``label_contested`` and ``label_source`` in ``obs``.

    Labels of the bins or cells in a spot add ``label_fraction`` and ``n_labelled``; polygons add ``label_overlap``.
    Spots without a row, and texts that mean "unknown", have a missing label.

    Raises
    ------
    LabelError
        If the labels are of another section as far as that shows, or hold a text whose meaning is not known.
    """
    if isinstance(labels, Polygons):
        columns, notes = label_by_polygons(section, labels, vocabulary)
    else:
        columns, notes = _by_table(section, labels, vocabulary)
    counts = section.counts
    obs = counts.obs.drop(columns=list(COLUMNS), errors="ignore").assign(
        **{str(name): column.to_numpy() for name, column in columns.drop(columns="label").items()},
        label=pd.Categorical(columns["label"], categories=["cancer", "normal"]),
        label_source=labels.path.name,
    )
    labelled = ad.AnnData(X=counts.X, obs=obs, var=counts.var, uns=counts.uns, obsm=counts.obsm, layers=counts.layers)
    return replace(
        section,
        counts=labelled,
        sources=(*section.sources, Source.of("labels", labels.path)),
        notes=(*section.notes, *labels.notes, *notes),
    )


def _by_table(section: Section, table: LabelTable, vocabulary: Vocabulary) -> tuple[pd.DataFrame, tuple[str, ...]]:
    meanings = vocabulary.classify(table.rows["value"], table.path)
    joined = join_rows(section, table)
    if joined.units:
        columns, notes = label_by_units(table, meanings, joined, joined.units, section.counts.n_obs)
    else:
        columns, notes = _by_spots(table, meanings, joined, section.counts.n_obs)
    return columns, (*joined.notes, *notes)


def _by_spots(
    table: LabelTable, meanings: pd.Series[str], joined: Joined, count: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    rows = pd.DataFrame({"label": meanings, "annotation": table.rows["value"].astype(object)})
    rows["label_contested"] = table.rows["contested"]
    found = rows[joined.places >= 0].set_index(joined.places[joined.places >= 0]).reindex(range(count))
    found["annotation"] = found["annotation"].fillna("")
    found["label_contested"] = found["label_contested"].eq(True)
    bare, unknown = count - int((joined.places >= 0).sum()), int(found["label"].isna().sum())
    note = (
        f"{table.path.name}: {unknown} of {count} spots have no label "
        f"({bare} without a row, {unknown - bare} undetermined or blank)"
    )
    return found, (note,) if unknown else ()
