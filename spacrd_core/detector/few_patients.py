"""What few patients, and few labels of a patient, mean for a detector, in one sentence each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from spacrd_core.cohort.few_labels import ENOUGH_LABELS
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.detector.config import DetectorConfig

FEW = 2


def few_patients_note(config: DetectorConfig, metrics: Mapping[str, Any]) -> str:
    """Return the sentence for a detector of one or two patients; '' for more.

    Patients of few labels do not count, unless there are no others: they are not held out, and calibrate nothing.
    """
    counts = _labelled_spots(config, metrics)
    patients = sum(count >= ENOUGH_LABELS for count in counts.values()) or len(counts)
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


def few_labels_note(config: DetectorConfig, metrics: Mapping[str, Any]) -> str:
    """Return the sentence for patients who were not held out because few of their spots are labelled; '' without."""
    counts = _labelled_spots(config, metrics)
    held_out = {section.patient for section in config.trained_on if section.id in metrics["held_out"]}
    few = [patient for patient, count in counts.items() if count < ENOUGH_LABELS and patient not in held_out]
    if not few or not held_out:
        return ""
    return f"patients with fewer than {ENOUGH_LABELS} labelled spots train the head and are not held out: {listed(few)}"


def _labelled_spots(config: DetectorConfig, metrics: Mapping[str, Any]) -> Counter[str]:
    """Return the number of labelled spots of every patient; earlier versions did not record it, and used all alike."""
    counts, recorded = Counter[str](), metrics.get("labels", {})
    for section in config.trained_on:
        labels = recorded.get(section.id)
        counts[section.patient] += labels["cancer"] + labels["normal"] if labels else ENOUGH_LABELS
    return counts
