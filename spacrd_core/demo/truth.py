"""How right the demo's detector is about a section it never saw, whose truth the demo knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.section_data import UNKNOWN, label_values

if TYPE_CHECKING:
    from spacrd_core.store.store import SpotStore


@dataclass(frozen=True)
class Agreement:
    """Of a section's probabilities with its true labels: the AUC, over how many spots, and how many are cancer."""

    auc: float
    spots: int
    cancer: int


def agreement(store: SpotStore, section: str) -> Agreement:
    """Return how well the latest probabilities of a section tell its labels apart; it must have both classes."""
    table, _ = store.predictions(section)
    adata = store.section(section)
    labels = label_values(adata)
    known = labels != UNKNOWN
    probability = table.loc[adata.obs_names, "probability"].to_numpy()
    auc = float(roc_auc_score(labels[known], probability[known]))
    return Agreement(auc, int(known.sum()), int(labels[known].sum()))
