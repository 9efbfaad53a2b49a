"""How the calls of sections agree with the labels that they were ingested with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.metrics.classification import measure
from spacrd_core.results.report.canvas_data import annotation_codes
from spacrd_core.results.result import LABEL_STYLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spacrd_core.results.result import Label, SectionResult

GIVEN = ("cancer", "normal")


@dataclass(frozen=True)
class LabelAgreement:
    """The calls of labelled spots.

    Attributes
    ----------
    spots
        Number of labelled spots with a probability.
    auc
        Area under the ROC curve; None if there is one class only.
    confusion
        Number of spots by given label and call.
    trained_on
        Why the numbers do not show how the detector performs on new patients; empty if they do.
    """

    spots: int
    auc: float | None
    confusion: Mapping[str, Mapping[Label, int]]
    trained_on: str


@dataclass(frozen=True)
class CohortAgreement:
    """The agreement over sections of patients that the detector was not trained on; the others are only counted.

    ``lowest`` is the section with the lowest AUC. AUCs are of sections with both classes.
    """

    sections: int
    patients: int
    trained_on: int
    auc: float | None
    lowest: tuple[str, float] | None
    confusion: Mapping[str, Mapping[Label, int]]


def label_agreement(result: SectionResult) -> LabelAgreement | None:
    """Return the agreement of a section's calls with its labels; None without labels."""
    codes = np.array(annotation_codes(result))
    if not len(codes):
        return None
    labelled = (codes >= 0) & np.isfinite(result.probability)
    if not labelled.any():
        return None
    metrics = measure(result.probability[labelled], (codes[labelled] == 0).astype(int), result.threshold)
    calls = result.spots["label"].to_numpy()
    confusion = {
        given: {call: int(((codes == code) & labelled & (calls == call)).sum()) for call in LABEL_STYLES}
        for code, given in enumerate(GIVEN)
    }
    return LabelAgreement(int(labelled.sum()), metrics.auc, confusion, result.trained_on)


def cohort_agreement(sections: Iterable[tuple[Mapping[str, Any], LabelAgreement | None]]) -> CohortAgreement | None:
    """Return the agreement over sections, given as pairs of summary and agreement; None if none has labels."""
    labelled = [(summary, agreement) for summary, agreement in sections if agreement]
    if not labelled:
        return None
    new = [(summary, agreement) for summary, agreement in labelled if not agreement.trained_on]
    aucs = {str(summary["section"]): agreement.auc for summary, agreement in new if agreement.auc is not None}
    return CohortAgreement(
        sections=len(new),
        patients=len({summary["patient"] for summary, _ in new}),
        trained_on=len(labelled) - len(new),
        auc=float(np.mean([*aucs.values()])) if aucs else None,
        lowest=min(aucs.items(), key=lambda item: item[1]) if aucs else None,
        confusion={
            given: {call: sum(each.confusion[given][call] for _, each in new) for call in LABEL_STYLES}
            for given in GIVEN
        },
    )
