"""What a detector of one or two patients can and cannot do, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacrd_core.detector.config import DetectorConfig

FEW = 2


def few_patients_note(config: DetectorConfig) -> str:
    """Return the sentence for a detector of one or two patients; '' for more."""
    patients = len({section.patient for section in config.trained_on})
    if not 0 < patients <= FEW:
        return ""
    built_in = any(record.method == "prior" for record in config.calibrations.values())
    constants = "built-in constants give its probabilities" if built_in else "its probabilities are approximate"
    if patients == 1:
        return (
            f"one patient trains a ranking of spots, but no patient was held out: {constants}, and how it performs on "
            "other patients is unknown"
        )
    return (
        f"two patients train a ranking of spots, but each was held out from one other only: {constants} where that is "
        "not enough, and the metrics say little about a third patient"
    )
