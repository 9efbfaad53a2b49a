"""Where a section's calls change from normal to cancer: rules that never look at its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.mixture import GaussianMixture

from spacrd_core.errors import ConfigError, DetectorError

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

RULES = "own, a number between 0 and 1 such as 0.5, gmm, or prevalence=P with P between 0 and 1"
NAMES = ("own", "fixed", "gmm", "prevalence")
FEWEST = 30  # spots: fewer do not tell two Gaussians from one
APART = 2.0  # Ashman's D, below which two Gaussians have one peak between them (Ashman, Bird and Zepf 1994)
SURE = 1e-9  # probabilities nearer to 0 or 1 have no finite log odds to speak of


@dataclass(frozen=True)
class ThresholdRule:
    """How the threshold of a section is found.

    ``own`` takes the detector's, chosen on held-out patients; ``fixed`` a number; ``gmm`` parts the section's log odds
    into two Gaussians, as the published method does; ``prevalence`` calls the share of the spots that is known to be
    cancer.
    """

    name: str = "own"
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ConfigError(
                f"'{self.name}' is no kind of threshold rule: {', '.join(NAMES)}",
                hint=f"ThresholdRule.parse('{self.name}') reads what a user writes",
            )

    @classmethod
    def parse(cls, said: str | float) -> Self:
        """Return the rule that a user writes: ``own``, ``0.5``, ``gmm`` or ``prevalence=0.3``.

        Raises
        ------
        ConfigError
            If there is no such rule.
        """
        text = str(said)
        name, equals, number = text.lower().replace(" ", "").partition("=")
        if name in {"own", "gmm"} and not equals:
            return cls(name)
        if equals and name == "prevalence" and number in {"0", "1"}:
            raise ConfigError(
                f"prevalence={number} leaves nothing to find: every spot would be called alike",
                hint=f"--threshold {RULES}",
            )
        value = _share(number if equals else name)
        if value is None or (equals and name != "prevalence"):
            raise ConfigError(f"there is no threshold rule '{text}'", hint=f"--threshold {RULES}")
        return cls("prevalence" if equals else "fixed", value)

    def find(self, probabilities: Array, own: float, section: str) -> float:
        """Return the threshold for these probabilities of a section, where the detector's own is ``own``.

        Raises
        ------
        DetectorError
            If the section's log odds are no two Gaussians, one on either side of the detector's own threshold.
        """
        if self.name == "gmm":
            return _between_gaussians(probabilities, own, section)
        if self.name == "prevalence":
            return _top_share(probabilities, self.value)
        return own if self.name == "own" else self.value

    def describe(self, own: str) -> str:
        """Return the rule in words; ``own`` are those for the detector's."""
        return {
            "own": own,
            "fixed": "given by the user",
            "gmm": "where two Gaussians of the section's log odds meet",
            "prevalence": f"the section's {100 * self.value:g} % most probable spots, as given by the user",
        }[self.name]


OWN = ThresholdRule()


def _share(text: str) -> float | None:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return value if 0 < value < 1 else None


def _top_share(probabilities: Array, share: float) -> float:
    """The middle between the last spot called and the next; one spot at least is called."""
    ranked = np.sort(probabilities)[::-1]
    called = max(1, round(share * len(ranked)))
    return float(ranked[called - 1 : called + 1].mean()) if len(ranked) else share


def _between_gaussians(probabilities: Array, own: float, section: str) -> float:
    """Where the upper of two Gaussians becomes the likelier, between their means."""
    odds = logit(np.clip(probabilities, SURE, 1 - SURE))
    if len(odds) < FEWEST or np.ptp(odds) == 0:
        raise _refusal(f"section '{section}' has too few different scores for two Gaussians")
    one, two = (GaussianMixture(k, n_init=5, max_iter=1000, random_state=0).fit(odds[:, None]) for k in (1, 2))
    if one.bic(odds[:, None]) <= two.bic(odds[:, None]):
        raise _refusal(f"one Gaussian explains the log odds of section '{section}' as well as two")
    order = np.argsort(two.means_[:, 0])
    means, spreads = two.means_[order, 0], np.sqrt(two.covariances_[order, 0, 0])
    if np.diff(means)[0] < APART * np.sqrt(np.mean(spreads**2)):
        raise _refusal(f"the two Gaussians of section '{section}' overlap so far that they are no two groups of spots")
    if not means[0] < logit(own) < means[1]:
        raise _refusal(
            f"both Gaussians of section '{section}' lie on one side of the detector's own threshold, {own:.2f}"
        )
    place = _meeting(two.weights_[order], means, spreads)
    if place is None:
        raise _refusal(f"the two Gaussians of section '{section}' do not meet between their means")
    return float(expit(place))


def _meeting(weights: Array, means: Array, spreads: Array) -> float | None:
    """Where the upper Gaussian becomes the likelier, between the means; None where it does not, or more than once."""
    places = np.linspace(means[0], means[1], 1001)
    lower, upper = weights[:, None] * norm.pdf(places, means[:, None], spreads[:, None])
    turns = np.flatnonzero(np.diff(upper >= lower))
    return float(places[turns[0] + 1]) if len(turns) == 1 else None


def _refusal(why: str) -> DetectorError:
    return DetectorError(
        f"{why}: it may be all cancer or have none",
        hint="--threshold own, or prevalence=P where the share of cancer is known; --section for the others",
    )
