"""Calibration of logits to probabilities, and the decision threshold; both are fitted on held-out patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.cohort.modalities import join_modalities
from spacrd_core.cohort.weights import balanced_weights
from spacrd_core.model.combination import standardised_members
from spacrd_core.model.conformal import Profiles, nonconformity_profiles
from spacrd_core.model.label_shift import AmountShift, FittedAmount
from spacrd_core.model.modality_weights import fit_modality_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.arrays import Array

CANDIDATE_THRESHOLDS = 99
UNKNOWN_AMOUNT = TumourAmount()
OWN_RULE = "highest accuracy on held-out patients, patients and classes balanced"


class Calibration(BaseModel):
    """Platt scaling and a threshold: ``probability = sigmoid(sum of slope * part + amount shift + intercept)``.

    Attributes
    ----------
    method
        ``platt`` if it was fitted on held-out patients; ``prior`` if its constants are those of the built-in detector,
        for scores in standard deviations of the section; ``none`` otherwise. ``threshold_rule`` gives the reason.
    weights
        The weights of the modalities, which sum to 1.
    slopes
        By part of the score: a set of modalities, or a modality combined with the section's own evidence.
    amount
        The shift by how much of a section is tumour; None if the scores carry it, or nothing is known.
    nonconformity
        One profile per held-out patient.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = "none"
    weights: dict[str, float]
    slopes: dict[str, float]
    intercept: float = 0.0
    amount: AmountShift | None = None
    threshold: float = 0.5
    threshold_rule: str = "0.5"
    nonconformity: Profiles = ()

    @classmethod
    def none(cls, modalities: str, reason: str, parts: Sequence[str] = ()) -> Calibration:
        """Return the calibration that uses the logits unchanged, for this reason."""
        slopes = dict.fromkeys(parts or (modalities,), 1.0)
        return cls(weights={modalities: 1.0}, slopes=slopes, threshold_rule=f"0.5, as {reason}")

    def probabilities(self, parts: Mapping[str, Array], amount: TumourAmount | None = None) -> Array:
        """Return calibrated probabilities from the parts of the score, in the parts' shape.

        What is not known about the amount of tumour draws the probabilities towards 0.5 (MacKay 1992).
        """
        odds = self.odds(parts)
        if self.amount is None:
            return np.asarray(expit(odds), dtype=np.float64)
        facts = amount or UNKNOWN_AMOUNT
        widening = np.sqrt(1 + np.pi / 8 * self.amount.variance(facts))
        return np.asarray(expit((odds + self.amount.shift(facts)) / widening), dtype=np.float64)

    def gain(self, parts: Mapping[str, Array]) -> float:
        """Return the log odds per unit of the score that the parts add up to."""
        slope = next(iter(self.slopes.values()))
        if self.method != "prior":
            return slope
        spread = float(np.sum([values for name, values in parts.items() if name in self.slopes], axis=0).std())
        return slope / spread if spread else 0.0

    def odds(self, parts: Mapping[str, Array]) -> Array:
        """Return the log odds from the parts of the score, without the shift by the amount of tumour."""
        contributions = [slope * parts[name] for name, slope in self.slopes.items() if name in parts]
        total = np.asarray(sum(contributions))
        if self.method == "prior":
            total = next(iter(self.slopes.values())) * standardised_members(np.atleast_2d(total)).reshape(total.shape)
        return np.asarray(total + self.intercept, dtype=np.float64)


def calibrate(logits: Mapping[str, Array], labels: Array, patients: Sequence[str]) -> Calibration:
    """Return the calibration fitted on held-out spots, with patients and classes balanced.

    ``logits`` are out-of-fold, for one set of modalities or several, the widest first. Modalities whose logits
    contradict the labels (a slope of zero or less) are not used; if none remains, the logits of the first are used
    unchanged.
    """
    spot_weights = balanced_weights(patients, labels)
    lines = {name: _fit_platt(values, labels, spot_weights) for name, values in logits.items()}
    odds = {name: slope * logits[name] + intercept for name, (slope, intercept) in lines.items() if slope > 0}
    if not odds:
        return Calibration.none(next(iter(logits)), "the logits contradict the labels of held-out patients")
    weights = fit_modality_weights(odds, labels, patients)
    fused = np.sum([weight * odds[name] for name, weight in weights.items()], axis=0)
    slope, intercept = _fit_platt(fused, labels, spot_weights)
    probabilities = expit(slope * fused + intercept)
    return Calibration(
        method="platt",
        weights=weights,
        slopes={name: slope * weight * lines[name][0] for name, weight in weights.items()},
        intercept=intercept + slope * sum(weight * lines[name][1] for name, weight in weights.items()),
        threshold=best_threshold(probabilities, labels, spot_weights),
        threshold_rule=OWN_RULE,
        nonconformity=nonconformity_profiles(probabilities, labels, patients),
    )


@dataclass(frozen=True)
class HeldOutScores:
    """The combined scores of a held-out section's labelled spots, by part, with its labels, patient and amount."""

    parts: Mapping[str, Array]
    labels: Array
    patient: str
    amount: TumourAmount

    @property
    def score(self) -> Array:
        """The sum of the parts."""
        return np.asarray(np.sum([*self.parts.values()], axis=0))


def calibrate_combination(sections: Sequence[HeldOutScores], fitted: FittedAmount | None) -> Calibration | None:
    """Return the calibration of scores combined with sections' own evidence; None if they contradict the labels.

    ``fitted`` is the shift by the amount of tumour, if the scores do not carry it.
    """
    names = list(dict.fromkeys(name for section in sections for name in section.parts))
    spots = np.concatenate([section.score + _shift(section, fitted) for section in sections])
    truth = np.concatenate([section.labels for section in sections])
    spot_patients = [section.patient for section in sections for _ in section.labels]
    spot_weights = balanced_weights(spot_patients, truth)
    slope, intercept = _fit_platt(spots, truth, spot_weights)
    if slope <= 0:
        return None
    probabilities = expit(slope * spots + intercept)
    return Calibration(
        method="platt",
        weights={join_modalities(genes="genes" in names, image="image" in names): 1.0},
        slopes=dict.fromkeys(names, slope),
        intercept=intercept + slope * (fitted.offset if fitted else 0.0),
        amount=fitted.shift.scaled(slope) if fitted else None,
        threshold=best_threshold(probabilities, truth, spot_weights),
        threshold_rule=OWN_RULE,
        nonconformity=nonconformity_profiles(probabilities, truth, spot_patients),
    )


def _shift(section: HeldOutScores, fitted: FittedAmount | None) -> float:
    return fitted.shift.shift(section.amount) + fitted.offset if fitted else 0.0


def best_threshold(probabilities: Array, labels: Array, weights: Array) -> float:
    """Return the threshold with the highest weighted accuracy; of equal thresholds, the one nearest to 0.5.

    F1 is not suitable: with balanced classes, calling every spot cancer has an F1 of two thirds.
    """
    candidates = np.arange(1, CANDIDATE_THRESHOLDS + 1) / (CANDIDATE_THRESHOLDS + 1)
    correct = (probabilities[None, :] >= candidates[:, None]) == (labels == 1)
    accuracy = (correct * weights).sum(axis=1)
    best = candidates[accuracy >= accuracy.max() - 1e-9]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _fit_platt(logits: Array, labels: Array, weights: Array) -> tuple[float, float]:
    """Return slope and intercept (Platt 1999)."""
    model = LogisticRegression(C=1e3, max_iter=1000).fit(logits[:, None], labels, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
