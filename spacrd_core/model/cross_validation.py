"""Cross-validation over patients: scores of each patient by models trained on the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.modalities import subsets
from spacrd_core.cohort.section_data import patients
from spacrd_core.model.label_shift import Mixture, mixture_masks
from spacrd_core.model.platt import Calibration, calibrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.prepared import PreparedSection
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.model.label_shift import LabelShift


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold logits of a section's labelled spots, by models that were not trained on its patient.

    Attributes
    ----------
    logits
        For every set of modalities that the section can be scored by, the widest first: the logits of that set and of
        its subsets.
    whole
        The gene logits of all spots of the section.
    mixtures
        The gene logits of parts of the section with different shares of tumour.
    """

    section: SectionData
    logits: dict[str, dict[str, Array]]
    whole: Mixture | None = None
    mixtures: tuple[Mixture, ...] = ()

    def with_label_shift(self, label_shift: LabelShift) -> OutOfFold:
        """Return a copy with the label-shift correction applied."""
        shift = label_shift.shift(self.whole.tumour_score, self.whole.logits) if self.whole else 0.0
        shifted = {
            modalities: {
                subset: values + shift if subset == "genes" else values for subset, values in by_subset.items()
            }
            for modalities, by_subset in self.logits.items()
        }
        return replace(self, logits=shifted)

    @property
    def modalities(self) -> str:
        """The widest set of modalities."""
        return next(iter(self.logits))

    @property
    def labels(self) -> Array:
        """The known labels, in the order of the logits."""
        return self.section.labels[self.section.labels >= 0]

    def probabilities(self, calibrations: Mapping[str, Calibration]) -> Array:
        """Return the calibrated probabilities of the labelled spots."""
        return calibrations[self.modalities].probabilities(self.logits[self.modalities])


def cross_validate(
    sections: Sequence[SectionData], fit: Callable[[Sequence[SectionData], str], Ensemble]
) -> Iterator[tuple[str, list[OutOfFold]]]:
    """Yield every patient with the scores of its sections by models trained on the other patients.

    A patient is skipped if one class is missing from the others.
    """
    for patient in patients(sections):
        others = [section for section in sections if section.patient != patient]
        if {label for section in others for label in section.classes} == {0, 1}:
            ensemble = fit(others, f"without {patient}")
            yield patient, [_score(ensemble, section) for section in sections if section.patient == patient]


def calibrate_folds(folds: Sequence[OutOfFold], modality_sets: Sequence[str], *, fuse: bool) -> dict[str, Calibration]:
    """Return the calibration of every set of modalities from out-of-fold scores.

    With ``fuse``, the subsets of a set are weighted against it. A set that held-out patients cannot calibrate uses the
    calibration of a subset that they can.
    """
    fitted = {
        modalities: _calibrate([fold for fold in folds if modalities in fold.logits], modalities, fuse=fuse)
        for modalities in modality_sets
    }
    return {modalities: _calibrated_subset(modalities, fitted) for modalities in modality_sets}


def mean_auc(folds: Sequence[OutOfFold]) -> float | None:
    """Return the mean AUC of sections, each by all its modalities; None if every section has one class only.

    Modality weights are not applied, because they are fitted only after all patients have been held out.
    """
    with_both_classes = [fold for fold in folds if len(np.unique(fold.labels)) == 2]
    aucs = [roc_auc_score(fold.labels, fold.logits[fold.modalities][fold.modalities]) for fold in with_both_classes]
    return float(np.mean(aucs)) if aucs else None


def _calibrate(folds: Sequence[OutOfFold], modalities: str, *, fuse: bool) -> Calibration:
    labels = np.concatenate([fold.labels for fold in folds]) if folds else np.array([])
    if len(np.unique(labels)) < 2:
        return Calibration.none(modalities, _uncalibrated_reason(folds, modalities))
    spot_patients = [fold.section.patient for fold in folds for _ in fold.labels]
    logits = [fold.logits[modalities] for fold in folds]
    candidates = subsets(modalities) if fuse else (modalities,)
    shared = [subset for subset in candidates if all(subset in by_subset for by_subset in logits)]
    pooled = {subset: np.concatenate([by_subset[subset] for by_subset in logits]) for subset in shared}
    return calibrate(pooled, labels, spot_patients)


def _uncalibrated_reason(folds: Sequence[OutOfFold], modalities: str) -> str:
    if not folds:
        return f"no patient with {modalities} could be held out"
    return f"the held-out patients with {modalities} have spots of one class only"


def _calibrated_subset(modalities: str, calibrations: Mapping[str, Calibration]) -> Calibration:
    """The calibration of these modalities, or of a subset if held-out patients could calibrate that one alone."""
    calibrated = [
        subset for subset in subsets(modalities) if subset in calibrations and calibrations[subset].method != "none"
    ]
    if not calibrated or calibrated[0] == modalities:
        return calibrations[modalities]
    reason = calibrations[modalities].threshold_rule.removeprefix("0.5, ")
    rule = f"that of {calibrated[0]} alone, {reason}"
    return calibrations[calibrated[0]].model_copy(update={"threshold_rule": rule})


def _score(ensemble: Ensemble, data: SectionData) -> OutOfFold:
    section, known = ensemble.prepare(data), data.labels >= 0
    candidates = subsets(ensemble.modalities_of(section))
    means = {
        modalities: {
            subset: logits.mean(axis=0) for subset, logits in ensemble.score(section, modalities).logits.items()
        }
        for modalities in candidates
        if modalities in ensemble.modalities
    }
    labelled = {
        modalities: {subset: logits[known] for subset, logits in by_subset.items()}
        for modalities, by_subset in means.items()
    }
    if "genes" not in means or ensemble.label_shift is None:
        return OutOfFold(data, labelled)
    whole = Mixture(data.patient, means["genes"]["genes"], data.labels, ensemble.tumour_score(section))
    return OutOfFold(data, labelled, whole, tuple(_score_mixtures(ensemble, section)))


def _score_mixtures(ensemble: Ensemble, section: PreparedSection) -> Iterator[Mixture]:
    for spots in mixture_masks(section.section):
        if spots.any():
            mixture = ensemble.preprocessor.restrict(section, spots)
            logits = ensemble.score(mixture, "genes", ["genes"]).logits["genes"].mean(axis=0)
            tumour_score = ensemble.tumour_score(mixture)
            yield Mixture(section.section.patient, logits, mixture.section.labels, tumour_score)
