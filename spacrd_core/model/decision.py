"""From probabilities to calls: cancer, normal, and uncertain where nobody should rely on either."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ConfigError
from spacrd_core.model.conformal import conformal_sets, strangeness_limit
from spacrd_core.model.thresholds import OWN, ThresholdRule

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.arrays import Array
    from spacrd_core.model.platt import Calibration


LABELS = ("cancer", "normal", "uncertain")
ALPHA = 0.1
LABEL_ALPHA = 0.3
FAR = 1.5


@dataclass(frozen=True)
class Calling:
    """How to call a section.

    Attributes
    ----------
    rule
        Where the threshold comes from.
    alpha
        The level of the sets, which hold the true class of all but that share of a new patient's spots.
    label_alpha
        The level of the sets that make a spot uncertain where they hold both classes. It is the higher one, for a map
        that is uncertain nearly everywhere helps nobody: docs/trust.md has what either level costs.
    """

    rule: ThresholdRule = OWN
    alpha: float = ALPHA
    label_alpha: float = LABEL_ALPHA

    def __post_init__(self) -> None:
        if not isinstance(self.rule, ThresholdRule):
            raise ConfigError(
                f"a calling has a ThresholdRule, not {self.rule!r}", hint=f"ThresholdRule.parse({self.rule!r})"
            )
        for name, level in (("alpha", self.alpha), ("label_alpha", self.label_alpha)):
            if not 0 < level < 1:
                raise ConfigError(f"{name} lies between 0 and 1, it cannot be {level:g}", hint=f"{name}=0.1")

    def how(self, calibration: Calibration, probability: Array, section: str) -> Called:
        """Return how a section is called, from the probabilities of its spots that something was measured in."""
        threshold = self.rule.find(probability, calibration.threshold, section)
        said = self.rule.describe(calibration.threshold_rule)
        known = strangeness_limit(calibration.strangeness, self.alpha) is not None
        return Called(threshold, said, *((self.alpha, self.label_alpha) if known else ()))

    def sets(self, calibration: Calibration, probability: Array) -> Array:
        """Return every spot's set; None for all where fewer than two patients were held out."""
        return conformal_sets(probability, strangeness_limit(calibration.strangeness, self.alpha))

    def doubts(self, calibration: Calibration, probability: Array, ood: Array) -> Array:
        """Tell which spots are uncertain whatever the threshold: either class may be, none, or the tissue is too far.

        Too far is half as far again as the training tissue reaches: patients held out on the same platform stay nearer.
        """
        sets = conformal_sets(probability, strangeness_limit(calibration.strangeness, self.label_alpha))
        neither = self.sets(calibration, probability) == "none"
        return np.asarray((sets == "both") | neither | (ood > FAR))


def labels(probability: Array, threshold: float, *, spread: Array, doubtful: Array) -> Array:
    """Return cancer from the threshold on, normal below; uncertain in doubt, or if the spread reaches across it."""
    called = np.where(probability >= threshold, "cancer", "normal")
    return np.where((np.abs(probability - threshold) < spread) | doubtful, "uncertain", called)


KEY = "called"


@dataclass(frozen=True)
class Called:
    """The threshold and where it comes from, the level of the sets, and the level at which one makes a spot uncertain.

    Levels are None where fewer than two patients were held out, and there are no sets.
    """

    threshold: float
    threshold_rule: str
    alpha: float | None = None
    label_alpha: float | None = None

    def write_on(self, table: pd.DataFrame) -> None:
        """Write it on a spot table; the store keeps it with the table."""
        table.attrs[KEY] = asdict(self)

    @classmethod
    def of(cls, table: pd.DataFrame) -> Called | None:
        """Return what a spot table says of itself; None where an older SpaCRD wrote it."""
        return cls(**table.attrs[KEY]) if KEY in table.attrs else None
