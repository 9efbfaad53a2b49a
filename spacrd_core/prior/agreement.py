"""Agreement of a detector with what a section says of itself: the alarm for another tissue or another staining.

The distance from the training spots cannot give it: genes are standardised in the section first, so that a normal brain
looks as mixed as a breast carcinoma. On eight breast patients the agreement of genes is 0.75 to 0.99; on a pancreatic
carcinoma, which a breast detector misses, 0.08. By image it is 0.6 to 0.9 in the training laboratory and under mild
changes of colour, 0.3 to 0.5 on a section of another laboratory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.prior.standardise import correlation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from spacrd_core.arrays import Array

MIN_AGREEMENT = 0.6


def agreement(logit: Float[Array, " spots"], evidence: Float[Array, " spots"]) -> float:
    """Return the correlation over a section's spots of a trained logit with the section's own evidence."""
    return correlation(logit, evidence)


def least_agreeing(agreements: Mapping[str, float]) -> str:
    """Return the modality with the lowest agreement."""
    return min(agreements, key=lambda name: agreements[name])


def disagrees(agreements: Mapping[str, float]) -> bool:
    """Return whether a detector disagrees with what a section says of itself, by any modality."""
    return any(value < MIN_AGREEMENT for value in agreements.values())
