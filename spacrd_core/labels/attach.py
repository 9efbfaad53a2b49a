"""Attach a label table to a section: ``attach_labels(section, read_labels(path), Vocabulary())``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd

from spacrd_core.labels.joins import place_rows
from spacrd_core.section import Section, Source

if TYPE_CHECKING:
    from spacrd_core.labels.tables import LabelTable
    from spacrd_core.labels.words import Vocabulary


def attach_labels(section: Section, table: LabelTable, vocabulary: Vocabulary) -> Section:
    """Return the section with labels: ``label``, ``annotation``, ``label_contested`` and ``label_source`` in ``obs``.

    Spots without a row, and texts that mean "unknown", have a missing label.

    Raises
    ------
    LabelError
        If the table is of another section as far as that shows, or holds a text whose meaning is not known.
    """
    meanings = vocabulary.classify(table.rows["value"], table.path)
    places, notes = place_rows(section, table)
    found = table.rows.assign(label=meanings)[places >= 0].set_index(places[places >= 0])
    obs = _labelled(section.counts.obs, found, table)
    counts = section.counts
    labelled = ad.AnnData(X=counts.X, obs=obs, var=counts.var, uns=counts.uns, obsm=counts.obsm, layers=counts.layers)
    return replace(
        section,
        counts=labelled,
        sources=(*section.sources, Source.of("labels", table.path)),
        notes=(*section.notes, *table.notes, *notes, *_unknown(obs, found, table)),
    )


def _labelled(obs: pd.DataFrame, found: pd.DataFrame, table: LabelTable) -> pd.DataFrame:
    by_spot = found.reindex(range(len(obs)))
    labels = pd.Categorical(by_spot["label"], categories=["cancer", "normal"])
    return obs.assign(
        label=labels,
        annotation=by_spot["value"].fillna("").to_numpy(dtype=object),
        label_contested=by_spot["contested"].eq(True).to_numpy(),
        label_source=table.path.name,
    )


def _unknown(obs: pd.DataFrame, found: pd.DataFrame, table: LabelTable) -> tuple[str, ...]:
    unknown = int(obs["label"].isna().sum())
    if not unknown:
        return ()
    bare = len(obs) - len(found)
    reasons = f"{bare} without a row, {unknown - bare} undetermined or blank"
    return (f"{table.path.name}: {unknown} of {len(obs)} spots have no label ({reasons})",)
