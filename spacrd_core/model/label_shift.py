"""How much of a section is tumour, from two of its properties (label shift).

Genes are standardised within a section, so a section without tumour, or with tumour only, looks mixed to a head. Two
properties of the section still tell (:class:`~spacrd_core.cohort.evidence.TumourAmount`). How much they tell is fitted
on held-out patients, whose sections are cut to mixtures from no tumour to tumour only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from spacrd_core.cohort.weights import balanced_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.evidence import TumourAmount

MIN_PATIENTS = 3
REGULARISATION = 10.0  # inverse strength


@dataclass(frozen=True)
class Mixture:
    """The spots of a section cut to some share of tumour: their scores and labels, and the amount facts."""

    patient: str
    scores: Array
    labels: Array
    amount: TumourAmount


class AmountShift(BaseModel):
    """The shift of a section's log odds by its amount facts.

    ``expression`` and ``correlation`` are weights; ``mean`` and ``spread`` are the mean and the standard deviation of
    the shift over sections, for a section whose facts are unknown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    expression: float
    correlation: float
    mean: float = 0.0
    spread: float = 0.0

    def shift(self, amount: TumourAmount) -> float:
        """Return the shift of a section."""
        if not amount.known:
            return self.mean
        return self.expression * amount.expression + self.correlation * amount.correlation

    def variance(self, amount: TumourAmount) -> float:
        """Return the variance of the shift: from genes that are not measured, or of all sections if it is unknown."""
        return (self.expression * amount.expression_error) ** 2 if amount.known else self.spread**2

    def scaled(self, factor: float) -> AmountShift:
        """Return the shift in other units."""
        return AmountShift(**{name: factor * value for name, value in self.model_dump().items()})


@dataclass(frozen=True)
class FittedAmount:
    """The shift in units of the scores, and the offset that goes with it."""

    shift: AmountShift
    offset: float


def fit_amount(mixtures: Sequence[Mixture], sections: Sequence[TumourAmount]) -> FittedAmount | None:
    """Return the shift fitted on mixtures, with patients and classes balanced.

    ``sections`` are the facts of the held-out sections as they are. None with fewer than three patients, or if the
    scores contradict the labels.
    """
    known = [mixture for mixture in mixtures if mixture.amount.known]
    if len({mixture.patient for mixture in known}) < MIN_PATIENTS:
        return None
    labels = np.concatenate([mixture.labels for mixture in known])
    patients = np.concatenate([[mixture.patient] * len(mixture.labels) for mixture in known])
    scaler = StandardScaler().fit(columns := np.concatenate([_columns(mixture) for mixture in known]))
    model = LogisticRegression(C=REGULARISATION, max_iter=1000)
    model.fit(scaler.transform(columns), labels, sample_weight=balanced_weights(patients, labels) / len(labels))
    slope, *weights = model.coef_[0] / scaler.scale_
    if slope <= 0:
        return None
    shift = AmountShift(expression=weights[0] / slope, correlation=weights[1] / slope)
    shifts = [shift.shift(amount) for amount in sections if amount.known] or [0.0]
    offset = (model.intercept_[0] - (model.coef_[0] / scaler.scale_) @ scaler.mean_) / slope
    shift = shift.model_copy(update={"mean": float(np.mean(shifts)), "spread": float(np.std(shifts))})
    return FittedAmount(shift, float(offset))


def _columns(mixture: Mixture) -> Array:
    facts = (mixture.amount.expression, mixture.amount.correlation)
    return np.column_stack([mixture.scores, np.broadcast_to(facts, (len(mixture.scores), 2))])
