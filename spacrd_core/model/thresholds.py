"""Rules for the decision threshold of a section; none of them uses the section's labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from spacrd_core.errors import ConfigError, DetectorError

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

RULES = "own, a probability such as 0.5, gmm, or prevalence=P with P between 0 and 1"
NAMES = ("own", "fixed", "gmm", "prevalence")
MIN_SPOTS_GMM = 30  # fewer spots do not distinguish two Gaussians from one
MIN_ASHMAN_D = 2.0  # below it, two Gaussians have one peak between them (Ashman, Bird and Zepf 1994)
MIN_PROBABILITY = 1e-9  # bounds the log odds of probabilities near 0 and 1


@dataclass(frozen=True)
class ThresholdRule:
    """How the threshold of a section is found.

    ``own`` uses the detector's, chosen on held-out patients; ``fixed`` uses a number; ``gmm`` separates the section's
    log odds into two Gaussians, as the published method does; ``prevalence`` calls the known share of cancer spots.
    """

    name: str = "own"
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ConfigError(
                f"unknown threshold rule '{self.name}'; the rules are {', '.join(NAMES)}",
                hint=f"use ThresholdRule.parse('{self.name}') for text from a user",
            )

    @classmethod
    def parse(cls, rule: str | float) -> Self:
        """Return the rule of a user's text: ``own``, ``0.5``, ``gmm`` or ``prevalence=0.3``.

        Raises
        ------
        ConfigError
            If the text is not a rule.
        """
        text = str(rule)
        name, equals, number = text.lower().replace(" ", "").partition("=")
        if name in {"own", "gmm"} and not equals:
            return cls(name)
        if equals and name == "prevalence" and number in {"0", "1"}:
            raise ConfigError(
                f"prevalence={number} would give every spot the same call",
                hint=f"--threshold {RULES}",
            )
        value = _parse_share(number if equals else name)
        if value is None or (equals and name != "prevalence"):
            raise ConfigError(f"unknown threshold rule '{text}'", hint=f"--threshold {RULES}")
        return cls("prevalence" if equals else "fixed", value)

    def find(self, probabilities: Array, own: float, section: str) -> float:
        """Return the threshold for a section's probabilities; ``own`` is the detector's.

        Raises
        ------
        DetectorError
            If the section's log odds are not two Gaussians, one on either side of the detector's threshold.
        """
        if self.name == "gmm":
            return _between_gaussians(probabilities, own, section)
        if self.name == "prevalence":
            return _top_share(probabilities, self.value)
        return own if self.name == "own" else self.value

    def describe(self, own: str) -> str:
        """Return the rule in words; ``own`` is the description of the detector's rule."""
        return {
            "own": own,
            "fixed": "given by the user",
            "gmm": "crossing of two Gaussians fitted to the section's log odds",
            "prevalence": f"the {100 * self.value:g} % most probable spots of the section, as given by the user",
        }[self.name]


OWN = ThresholdRule()


def _parse_share(text: str) -> float | None:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return value if 0 < value < 1 else None


def _top_share(probabilities: Array, share: float) -> float:
    """The midpoint between the last called spot and the next; at least one spot is called."""
    ranked = np.sort(probabilities)[::-1]
    called = max(1, round(share * len(ranked)))
    return float(ranked[called - 1 : called + 1].mean()) if len(ranked) else share


def _between_gaussians(probabilities: Array, own: float, section: str) -> float:
    """The point between the means where the upper of two Gaussians becomes more likely."""
    from sklearn.mixture import GaussianMixture  # noqa: PLC0415 - slow to import, and for this rule alone

    odds = logit(np.clip(probabilities, MIN_PROBABILITY, 1 - MIN_PROBABILITY))
    if len(odds) < MIN_SPOTS_GMM or np.ptp(odds) == 0:
        raise _refusal(f"section '{section}' has too few distinct scores to fit two Gaussians")
    one, two = (GaussianMixture(k, n_init=5, max_iter=1000, random_state=0).fit(odds[:, None]) for k in (1, 2))
    if one.bic(odds[:, None]) <= two.bic(odds[:, None]):
        raise _refusal(f"one Gaussian fits the log odds of section '{section}' as well as two")
    order = np.argsort(two.means_[:, 0])
    means, spreads = two.means_[order, 0], np.sqrt(two.covariances_[order, 0, 0])
    if np.diff(means)[0] < MIN_ASHMAN_D * np.sqrt(np.mean(spreads**2)):
        raise _refusal(f"the two Gaussians of section '{section}' overlap too far to separate two groups of spots")
    if not means[0] < logit(own) < means[1]:
        raise _refusal(f"both Gaussians of section '{section}' are on one side of the detector's threshold, {own:.2f}")
    crossing = _crossing(two.weights_[order], means, spreads)
    if crossing is None:
        raise _refusal(f"the two Gaussians of section '{section}' do not cross between their means")
    return float(expit(crossing))


def _crossing(weights: Array, means: Array, spreads: Array) -> float | None:
    """The point between the means where the upper Gaussian becomes more likely; None unless there is exactly one."""
    grid = np.linspace(means[0], means[1], 1001)
    lower, upper = weights[:, None] * norm.pdf(grid, means[:, None], spreads[:, None])
    crossings = np.flatnonzero(np.diff(upper >= lower))
    return float(grid[crossings[0] + 1]) if len(crossings) == 1 else None


def _refusal(reason: str) -> DetectorError:
    return DetectorError(
        f"{reason}: the section may be all cancer or contain none",
        hint="use --threshold own, or prevalence=P if the share of cancer is known; --section selects other sections",
    )
