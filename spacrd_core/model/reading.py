"""How a detector reads one section: the parts of its score, and the calibration that holds for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.cohort.evidence import SectionEvidence, TumourAmount
from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.errors import DetectorError
from spacrd_core.model.combination import combine, combine_by_evidence, part_names, trusted_modalities
from spacrd_core.model.ensemble import SCORING_BATCH
from spacrd_core.model.prior_calibration import prior_calibration
from spacrd_core.prior.agreement import disagrees, least_agreeing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.prepared import PreparedSection
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.model.platt import Calibration
    from spacrd_core.prior.options import PriorOptions


@dataclass(frozen=True, eq=False)
class Reading:
    """A section as a detector reads it, before any threshold.

    Attributes
    ----------
    modalities
        What the section is called by.
    parts
        The parts of the score (members x spots), which the calibration adds up.
    calibration
        The detector's own, or the built-in one if the detector disagrees with what the section says of itself.
    ood
        Distance from the training spots; NaN for the built-in detector, which has none.
    agreement
        With what the section says of itself, by modality; empty if that is not used.
    evidence
        What the section says of itself; None if it is not used.
    evidence_weight
        The weight in the score of what the section's genes say.
    head_parts
        The parts of the score that hold a head's logit unchanged.
    trained
        Whether labelled sections trained the detector.
    disputed_score
        The head's logit that agrees least with what the section says of itself; None if the two do not disagree.
    """

    modalities: str
    parts: dict[str, Float[Array, "members spots"]]
    calibration: Calibration
    ood: Float[Array, " spots"]
    agreement: dict[str, float] = field(default_factory=dict)
    evidence: SectionEvidence | None = None
    evidence_weight: float = 0.0
    head_parts: tuple[str, ...] = ()
    trained: bool = True
    disputed_score: Float[Array, " spots"] | None = None

    @property
    def probability(self) -> Float[Array, " spots"]:
        """The calibrated probability of the members' mean score."""
        means = {name: values.mean(axis=0) for name, values in self.parts.items()}
        return self.calibration.probabilities(means, self._amount)

    @property
    def spread(self) -> Float[Array, " spots"]:
        """The standard deviation of the members' probabilities."""
        return np.asarray(self.calibration.probabilities(self.parts, self._amount).std(axis=0))

    @property
    def evidence_slope(self) -> float:
        """The log odds per unit of what the section's genes say."""
        if "genes" not in self.parts:
            return 0.0
        return self.evidence_weight * self.calibration.gain({n: v.mean(axis=0) for n, v in self.parts.items()})

    @property
    def head_slopes(self) -> dict[str, float]:
        """The log odds per unit of a head's logit, by the modalities that it reads."""
        return {name: self.calibration.slopes[name] for name in self.head_parts}

    @property
    def disagrees(self) -> bool:
        """Whether the detector disagrees with what the section says of itself."""
        return disagrees(self.agreement)

    @property
    def amount_unknown(self) -> bool:
        """Whether the scores leave open how much of the section is tumour, and nothing else tells."""
        if self.calibration.amount:
            return not (self.evidence and self.evidence.amount.known)
        return self.modalities == "genes"

    @property
    def _amount(self) -> TumourAmount | None:
        return self.evidence.amount if self.evidence else None


def read_section(
    ensemble: Ensemble,
    calibrations: Mapping[str, Calibration],
    section: PreparedSection,
    prior: PriorOptions | None = None,
    *,
    batch_size: int = SCORING_BATCH,
) -> Reading:
    """Return a section as a trained detector reads it; ``prior`` tells how it uses what the section says of itself.

    Raises
    ------
    DetectorError
        If the section has nothing that the detector reads.
    """
    modalities, evidence = ensemble.modalities_of(section), section.section.evidence
    if prior is None or evidence is None:
        calibration = calibrations[modalities]
        scores = ensemble.score(section, modalities, tuple(calibration.slopes), batch_size=batch_size)
        return Reading(modalities, scores.logits, calibration, scores.ood, head_parts=tuple(calibration.slopes))
    if modalities == "genes" and section.modalities == "image+genes" and "image" in ensemble.modalities:
        modalities = "image"  # no training section had both, and beside an image trained genes add nothing
    modalities = trusted_modalities(modalities, evidence)
    scores = ensemble.score(section, modalities, part_names(modalities), batch_size=batch_size)
    combination = combine(scores.logits, modalities, evidence, prior)
    if disagrees(combination.agreement):
        return Reading(
            modalities,
            combine_by_evidence(modalities, evidence, scores.logits, prior),
            prior_calibration(modalities),
            scores.ood,
            combination.agreement,
            evidence,
            evidence_weight=1.0,
            disputed_score=scores.logits[least_agreeing(combination.agreement)].mean(axis=0),
        )
    calibration = calibrations[modalities]
    return Reading(
        modalities,
        combination.parts,
        calibration,
        scores.ood,
        combination.agreement,
        evidence,
        evidence_weight=combination.evidence_weight,
        head_parts=("genes",) if modalities == "genes" and calibration.method != "prior" else (),
    )


def read_by_prior(section: SectionData, prior: PriorOptions) -> Reading:
    """Return a section as the built-in detector reads it: by what the section says of itself alone.

    Raises
    ------
    DetectorError
        If it says nothing: no gene of the lists is measured, and there is no image.
    """
    evidence = section.evidence or SectionEvidence()
    present = {name for name, values in (("genes", evidence.genes), ("image", evidence.image)) if values is not None}
    modalities = next((name for name, members in MODALITIES.items() if members == present), "")
    if not modalities:
        raise DetectorError(
            f"section '{section.id}' measures no gene of the lists '{prior.lists}', and has no image",
            hint="check that its genes are named by symbol or Ensembl id",
        )
    modalities = trusted_modalities(modalities, evidence)
    parts = combine_by_evidence(modalities, evidence, {}, prior)
    unknown = np.full(len(section.labels), np.nan)
    return Reading(
        modalities,
        parts,
        prior_calibration(modalities),
        unknown,
        evidence=evidence,
        evidence_weight=1.0,
        trained=False,
    )
