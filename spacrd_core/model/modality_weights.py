"""How much image, genes and their fusion count in a call: as much as held-out patients say, and no more."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.modalities import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.arrays import Array

STEPS = 10
SURE = 0.95
FEWEST = 3
FAR_WORSE = 0.1  # what models of one or two patients say of another differs by as much from seed to seed


def blend(odds: Mapping[str, Array], labels: Array, patients: Sequence[str]) -> dict[str, float]:
    """Return the share of every view in the log odds: above 0, summing to 1.

    ``odds`` are calibrated log odds of spots by models that had not seen the spot's patient. The modality with the
    highest AUC over patients stands alone, unless fusing gains so much on so many patients that chance does not explain
    it (paired t-test over patients, one-sided at 5 %): with few patients, what looks better by a little is as often
    worse on the next. Fewer than three patients hardly tell which modality is better, and what they teach of thousands
    of genes carries over less than what they teach of stain: the image then stands alone, unless it is far worse.
    Patients of one class have no say; where none has, the first view stands alone.
    """
    labels, owners = np.asarray(labels), np.asarray(patients)
    folds = [owners == patient for patient in np.unique(owners)]
    folds = [fold for fold in folds if len(np.unique(labels[fold])) == 2]
    if len(odds) == 1 or not folds:
        return {next(iter(odds)): 1.0}
    values = np.stack(list(odds.values()))
    shares = _shares(len(odds))
    aucs = np.array([[roc_auc_score(labels[fold], share @ values[:, fold]) for fold in folds] for share in shares])
    alone = [index for index, share in enumerate(shares) if _is_one_modality(share, tuple(odds))]
    best = int(aucs.mean(axis=1).argmax())
    if alone:
        single = _better(alone, shares, aucs, tuple(odds))
        best = best if _surely_positive(aucs[best] - aucs[single]) else single
    return {view: float(share) for view, share in zip(odds, shares[best], strict=True) if share}


def _better(alone: Sequence[int], shares: Array, aucs: Array, views: Sequence[str]) -> int:
    """Which modality alone is the better one."""
    best = max(alone, key=lambda index: float(aucs[index].mean()))
    image = next((index for index in alone if views[int(shares[index].argmax())] == "image"), best)
    few = aucs.shape[1] < FEWEST
    return image if few and aucs[image].mean() > aucs[best].mean() - FAR_WORSE else best


def _shares(views: int) -> Array:
    """Every way to share 1 among the views in steps of a tenth, the ones for one view alone first."""
    mixed = [share for share in product(range(STEPS + 1), repeat=views) if sum(share) == STEPS]
    return np.array(sorted(mixed, key=max, reverse=True)) / STEPS


def _is_one_modality(share: Array, views: Sequence[str]) -> bool:
    return share.max() == 1.0 and len(VIEWS[views[int(share.argmax())]]) == 1


def _surely_positive(gains: Array) -> bool:
    """Whether the mean of gains is above 0 by more than chance explains."""
    if len(gains) < FEWEST or gains.mean() <= 0:
        return False
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return bool(gains.mean() > error * student.ppf(SURE, len(gains) - 1))
