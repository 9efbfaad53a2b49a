"""Evaluate the demo's detector on a section that it was not trained on and that has labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.section_data import UNKNOWN, label_values

if TYPE_CHECKING:
    from spacrd_core.store.store import SpotStore


@dataclass(frozen=True)
class LabelledAuc:
    """AUC of a section's probabilities, with the number of labelled spots and of cancer spots among them."""

    auc: float
    spots: int
    cancer: int


def labelled_auc(store: SpotStore, section: str) -> LabelledAuc:
    """Return the AUC of a section's latest probabilities; both classes must occur among its labels."""
    table, _ = store.predictions(section)
    adata = store.section(section)
    labels = label_values(adata)
    labelled = labels != UNKNOWN
    probability = table.loc[adata.obs_names, "probability"].to_numpy()
    auc = float(roc_auc_score(labels[labelled], probability[labelled]))
    return LabelledAuc(auc, int(labelled.sum()), int(labels[labelled].sum()))
