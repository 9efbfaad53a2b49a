"""Decisions from probabilities: cancer, normal, or uncertain where neither call is reliable."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ConfigError
from spacrd_core.model.conformal import conformal_sets, nonconformity_limit
from spacrd_core.model.thresholds import OWN, ThresholdRule

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.arrays import Array
    from spacrd_core.model.platt import Calibration

LABELS = ("cancer", "normal", "uncertain")
ALPHA = 0.1
LABEL_ALPHA = 0.3
MAX_OOD = 1.5  # times the 95 % radius of the training spots; held-out patients of the same platform stay within it
TABLE_KEY = "called"  # in a spot table's attrs


@dataclass(frozen=True)
class Decision:
    """How a section was called; it is stored with the spot table, so that every output gives the real threshold.

    ``alpha`` is the level of the conformal sets and ``label_alpha`` the level at which a set makes a spot uncertain.
    Both are None if fewer than two patients were held out, so that there are no sets.
    """

    threshold: float
    threshold_rule: str
    alpha: float | None = None
    label_alpha: float | None = None

    def attach(self, table: pd.DataFrame) -> None:
        """Store the decision in a spot table."""
        table.attrs[TABLE_KEY] = asdict(self)

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> Decision | None:
        """Return the decision stored in a spot table; None if it has none."""
        return cls(**table.attrs[TABLE_KEY]) if TABLE_KEY in table.attrs else None


@dataclass(frozen=True)
class DecisionRule:
    """How probabilities become calls.

    Attributes
    ----------
    rule
        How the threshold is found.
    alpha
        The level of the conformal sets, which contain the true class of all but that share of a new patient's spots.
    label_alpha
        The level of the sets that make a spot uncertain if they contain both classes. It is higher than ``alpha``,
        because a map that is uncertain nearly everywhere is of no use; docs/trust.md gives the cost of either level.
    """

    rule: ThresholdRule = OWN
    alpha: float = ALPHA
    label_alpha: float = LABEL_ALPHA

    def __post_init__(self) -> None:
        for name, level in (("alpha", self.alpha), ("label_alpha", self.label_alpha)):
            if not 0 < level < 1:
                raise ConfigError(f"{name} must be between 0 and 1, not {level:g}", hint=f"{name}=0.1")

    @classmethod
    def parse(
        cls, threshold: str | float = "own", *, alpha: float = ALPHA, label_alpha: float = LABEL_ALPHA
    ) -> DecisionRule:
        """Return the rule of a threshold as a user writes it: ``own``, a probability, ``gmm`` or ``prevalence=0.3``."""
        return cls(ThresholdRule.parse(threshold), alpha, label_alpha)

    def apply(self, calibration: Calibration, probability: Array, section: str) -> Decision:
        """Return the decision for a section from the probabilities of its measured spots."""
        threshold = self.rule.find(probability, calibration.threshold, section)
        description = self.rule.describe(calibration.threshold_rule)
        if nonconformity_limit(calibration.nonconformity, self.alpha) is None:
            return Decision(threshold, description)
        return Decision(threshold, description, self.alpha, self.label_alpha)

    def sets(self, calibration: Calibration, probability: Array) -> Array:
        """Return the conformal set of every spot; None if fewer than two patients were held out."""
        return conformal_sets(probability, nonconformity_limit(calibration.nonconformity, self.alpha))

    def uncertain_mask(self, calibration: Calibration, probability: Array, ood: Array) -> Array:
        """Return which spots are uncertain at any threshold: both classes, no class, or tissue far from training."""
        sets = conformal_sets(probability, nonconformity_limit(calibration.nonconformity, self.label_alpha))
        no_class = self.sets(calibration, probability) == "none"
        return np.asarray((sets == "both") | no_class | (ood > MAX_OOD))


def labels(probability: Array, threshold: float, *, spread: Array, uncertain: Array) -> Array:
    """Return cancer at or above the threshold, normal below it; uncertain by the mask or within ``spread`` of it."""
    called = np.where(probability >= threshold, "cancer", "normal")
    return np.where((np.abs(probability - threshold) < spread) | uncertain, "uncertain", called)
