"""Cross-validation over patients: scores of each patient by models trained on the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.cohort.modalities import subsets
from spacrd_core.model.combination import combine, combine_by_evidence, part_names
from spacrd_core.model.held_out_group import HeldOutGroup, other_patients
from spacrd_core.model.label_shift import Mixture, fit_amount
from spacrd_core.model.platt import Calibration, HeldOutScores, calibrate, calibrate_combination
from spacrd_core.model.prior_calibration import prior_calibration
from spacrd_core.model.training_set import has_both_classes
from spacrd_core.prior.agreement import disagrees

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.prepared import PreparedSection
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.prior.options import PriorOptions


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold scores of a section's labelled spots, by models that were not trained on its patient.

    Attributes
    ----------
    logits
        For every set of modalities that the section can be scored by, the widest first: the logits of that set and of
        its subsets.
    combined
        For the same sets: the parts of the score combined with what the section says of itself; empty without evidence.
    as_read
        By all modalities, the score that a section is called by: led by what it says of itself if the models disagree
        with that.
    mixtures
        Combined scores by genes of parts of the section with different shares of tumour.
    """

    section: SectionData
    logits: dict[str, dict[str, Array]]
    combined: dict[str, dict[str, Array]] = field(default_factory=dict)
    as_read: Array | None = None
    mixtures: tuple[Mixture, ...] = ()

    @property
    def modalities(self) -> str:
        """The widest set of modalities."""
        return next(iter(self.logits))

    @property
    def labels(self) -> Array:
        """The known labels, in the order of the logits."""
        return self.section.labels[self.section.labels >= 0]

    @property
    def amount(self) -> TumourAmount:
        """The section's facts about the amount of tumour."""
        return self.section.evidence.amount if self.section.evidence else TumourAmount()

    def probabilities(self, calibrations: Mapping[str, Calibration], *, with_prior: bool = False) -> Array:
        """Return the calibrated probabilities of the labelled spots."""
        parts = (self.combined if with_prior else self.logits)[self.modalities]
        return calibrations[self.modalities].probabilities(parts, self.amount)

    def scores(self, modalities: str) -> HeldOutScores:
        """Return the combined scores by these modalities."""
        return HeldOutScores(self.combined[modalities], self.labels, self.section.patient, self.amount)


def cross_validate(
    sections: Sequence[SectionData],
    groups: Sequence[tuple[str, ...]],
    fit: Callable[[Sequence[SectionData], str], Ensemble],
    prior: PriorOptions | None = None,
) -> Iterator[HeldOutGroup]:
    """Yield every group of patients with the scores of its sections by models trained on the others.

    A group is skipped if one class is missing from the others. With ``prior``, scores are also combined with what the
    sections say of themselves.
    """
    for group in groups:
        if folds := hold_out(group, sections, fit, prior):
            yield HeldOutGroup(group, folds)


def hold_out(
    group: Sequence[str],
    sections: Sequence[SectionData],
    fit: Callable[[Sequence[SectionData], str], Ensemble],
    prior: PriorOptions | None,
) -> list[OutOfFold]:
    """Return the scores of some patients' sections by models trained on the others; none if these have one class."""
    others = other_patients(group, sections)
    if not has_both_classes(others):
        return []
    ensemble = fit(others, stage_without(group))
    return [score(ensemble, section, prior) for section in sections if section.patient in group]


def stage_without(group: Sequence[str]) -> str:
    """Return the name of the training that leaves out a group of patients."""
    return f"without {', '.join(group)}"


def score(ensemble: Ensemble, data: SectionData, prior: PriorOptions | None) -> OutOfFold:
    """Return the scores of a section by models that were not trained on its patient."""
    section, known = ensemble.prepare(data), data.labels >= 0
    logits: dict[str, dict[str, Array]] = {}
    combined: dict[str, dict[str, Array]] = {}
    as_read: Array | None = None
    by_genes: Array | None = None
    readable = [name for name in subsets(ensemble.modalities_of(section)) if name in ensemble.modalities]
    wanted = {name: [subset for subset in subsets(name) if subset in readable] for name in readable}
    for modalities, scores in ensemble.logits(section, wanted).items():
        logits[modalities] = {subset: values.mean(axis=0)[known] for subset, values in scores.items()}
        by_genes = scores["genes"] if modalities == "genes" else by_genes
        if prior and data.evidence:
            means = {subset: values.mean(axis=0, keepdims=True) for subset, values in scores.items()}
            found = combine(means, modalities, data.evidence, prior)
            combined[modalities] = {name: values[0][known] for name, values in found.parts.items()}
            if as_read is None:
                led = combine_by_evidence(modalities, data.evidence, means, prior)
                parts = led if disagrees(found.agreement) else found.parts
                as_read = np.sum([*parts.values()], axis=0)[0][known]
    mixtures = _score_mixtures(ensemble, section, prior, by_genes) if prior and by_genes is not None else ()
    return OutOfFold(data, logits, combined, as_read, tuple(mixtures))


def calibrate_folds(folds: Sequence[OutOfFold], modality_sets: Sequence[str], *, fuse: bool) -> dict[str, Calibration]:
    """Return the calibration of every set of modalities from out-of-fold logits.

    With ``fuse``, the subsets of a set are weighted against it. A set that held-out patients cannot calibrate uses the
    calibration of a subset that they can.
    """
    fitted = {
        modalities: _calibrate([fold for fold in folds if modalities in fold.logits], modalities, fuse=fuse)
        for modalities in modality_sets
    }
    return {modalities: _calibrated_subset(modalities, fitted) for modalities in modality_sets}


def calibrate_combined(folds: Sequence[OutOfFold], modality_sets: Sequence[str]) -> dict[str, Calibration]:
    """Return the calibration of every set of modalities from out-of-fold combined scores.

    Genes need three held-out patients to show how much of a section is tumour. Fewer patients, and scores that
    contradict the labels, leave the constants of the built-in detector; by image alone, which has none, logits are used
    as they are.
    """
    return {modalities: _calibrate_combined(folds, modalities) for modalities in modality_sets}


def mean_auc(folds: Sequence[OutOfFold]) -> float | None:
    """Return the mean AUC of sections, each by all its modalities; None if every section has one class only.

    Modality weights are not applied, because they are fitted only after all patients have been held out.
    """
    with_both_classes = [fold for fold in folds if len(np.unique(fold.labels)) == 2]
    aucs = [roc_auc_score(fold.labels, _held_out_score(fold)) for fold in with_both_classes]
    return float(np.mean(aucs)) if aucs else None


def _held_out_score(fold: OutOfFold) -> Array:
    if fold.combined:
        return np.asarray(np.sum([*fold.combined[fold.modalities].values()], axis=0))
    return fold.logits[fold.modalities][fold.modalities]


def _calibrate_combined(folds: Sequence[OutOfFold], modalities: str) -> Calibration:
    scored = [fold for fold in folds if modalities in fold.combined]
    classes = {int(label) for fold in scored for label in np.unique(fold.labels)}
    calibration = None
    if classes == {0, 1}:
        needs_amount = modalities == "genes"
        mixtures = [mixture for fold in scored for mixture in fold.mixtures]
        fitted = fit_amount(mixtures, [fold.amount for fold in scored]) if needs_amount else None
        if fitted or not needs_amount:
            calibration = calibrate_combination([fold.scores(modalities) for fold in scored], fitted)
    if calibration:
        return calibration
    if modalities == "image":
        return Calibration.none(modalities, _uncalibrated_reason(scored, modalities), part_names(modalities))
    return prior_calibration(modalities)


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


def _score_mixtures(
    ensemble: Ensemble, section: PreparedSection, prior: PriorOptions, by_genes: Array
) -> Iterator[Mixture]:
    """Yield the combined scores by genes of the section cut to other shares of tumour.

    ``by_genes`` are the logits of all spots.
    """
    data = section.section
    for spots, evidence in data.mixtures:
        logits = by_genes
        if not spots.all():
            part = ensemble.preprocessor.restrict(section, spots)
            logits = ensemble.logits(part, {"genes": ["genes"]})["genes"]["genes"]
        scores = combine({"genes": logits.mean(axis=0, keepdims=True)}, "genes", evidence, prior).parts["genes"][0]
        yield Mixture(data.patient, scores, data.labels[spots], evidence.amount)
