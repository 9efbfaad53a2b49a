"""Combine trained logits with what a section says of itself.

Genes alone: the logit plus a constant weight of the gene lists. With an image: its logit, trusted as far as it agrees
with the density of the H&E, plus a small weight of the gene lists; trained genes add nothing beside those. All is on
the scale of the trained logit, whose level carries how much of a section is tumour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.prior.agreement import agreement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.evidence import SectionEvidence
    from spacrd_core.prior.options import PriorOptions

    Logits = Mapping[str, Float[Array, "members spots"]]

MIN_STRUCTURE = 0.2  # tissue of whole-transcriptome sections has 0.25 to 0.9; shuffled spots have at most 0.16


@dataclass(frozen=True)
class Combination:
    """Scores of a section as they are calibrated.

    ``parts`` add up (members x spots); ``agreement`` is by modality; ``evidence_weight`` is the weight of what the
    section's genes say.
    """

    parts: dict[str, Float[Array, "members spots"]]
    agreement: dict[str, float]
    evidence_weight: float = 0.0


def part_names(modalities: str) -> tuple[str, ...]:
    """Return the parts of a combination of these modalities."""
    return tuple(name for name in ("image", "genes") if name in MODALITIES[modalities])


def trusted_modalities(modalities: str, evidence: SectionEvidence) -> str:
    """Return the modalities without one that shows no tissue: in it, spots are unlike their neighbours."""
    if modalities != "image+genes":
        return modalities
    shows = {name: evidence.structure.get(name, 1.0) >= MIN_STRUCTURE for name in MODALITIES[modalities]}
    return next((name for name in ("image", "genes") if shows[name] and not all(shows.values())), modalities)


def combine(logits: Logits, modalities: str, evidence: SectionEvidence, options: PriorOptions) -> Combination:
    """Return trained logits of the modalities alone, combined with a section's own evidence on the logits' scale."""
    found = _agreements(logits, evidence)
    if modalities == "genes":
        score = logits["genes"] + options.genes_weight * _or_zero(evidence.genes)
        return Combination({"genes": score}, found, options.genes_weight)
    image = logits["image"]
    level, spread = float(image.mean()), float(image.mean(axis=0).std())
    gated = _gated((image - level) / (spread or 1.0), found, evidence, options)
    parts = {"image": level + spread * gated}
    if modalities == "image+genes" and evidence.genes is not None:
        parts["genes"] = np.broadcast_to(spread * options.fused_weight * evidence.genes, image.shape)
    return Combination(parts, found, spread * options.fused_weight)


def combine_by_evidence(
    modalities: str, evidence: SectionEvidence, logits: Logits, options: PriorOptions
) -> dict[str, Float[Array, "members spots"]]:
    """Return parts led by the section's own evidence, in standard deviations, for a detector that disagrees with it.

    Logits count as far as they agree. Without logits this is the score of the detector ``prior``.
    """
    found = _agreements(logits, evidence)
    parts: dict[str, Float[Array, "members spots"]] = {}
    if "image" in MODALITIES[modalities] and evidence.image is not None:
        scaled = standardised_members(logits["image"]) if "image" in logits else evidence.image[None]
        parts["image"] = _gated(scaled, found, evidence, options)
    if "genes" in MODALITIES[modalities] and evidence.genes is not None:
        parts["genes"] = evidence.genes[None]
        if modalities == "genes" and "genes" in logits:
            parts["genes"] = parts["genes"] + max(found["genes"], 0) * standardised_members(logits["genes"])
    return parts


def standardised_members(values: Float[Array, "members spots"]) -> Float[Array, "members spots"]:
    """Return scores of which the members' mean has mean 0 and standard deviation 1 over the section's spots."""
    spread = values.mean(axis=0).std()
    return np.asarray((values - values.mean()) / (spread or 1.0))


def _agreements(logits: Logits, evidence: SectionEvidence) -> dict[str, float]:
    by_modality = {"genes": evidence.genes, "image": evidence.image}
    return {
        name: agreement(logits[name].mean(axis=0), values)
        for name, values in by_modality.items()
        if name in logits and values is not None
    }


def _gated(
    scaled: Float[Array, "members spots"],
    agreements: Mapping[str, float],
    evidence: SectionEvidence,
    options: PriorOptions,
) -> Float[Array, "members spots"]:
    """The image's logit where it agrees with the density of the H&E, and that density where it does not."""
    if evidence.image is None or not options.image_gate:
        return scaled
    trust = max(agreements.get("image", 0.0), 0.0)
    return trust * scaled + (1 - trust) * evidence.image


def _or_zero(values: Float[Array, " spots"] | None) -> Float[Array, " spots"] | float:
    return 0.0 if values is None else values
