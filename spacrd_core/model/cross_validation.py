"""What models say of patients they have not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from spacrd_core.cohort.modalities import views_within
from spacrd_core.cohort.section_data import patients
from spacrd_core.model.label_shift import Evidence, mixtures
from spacrd_core.model.platt import Calibration, calibrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.ensemble import Ensemble
    from spacrd_core.model.label_shift import Composition


@dataclass(frozen=True)
class HeldOut:
    """The logits of a section's labelled spots, from models that had not seen its patient.

    For every view that the section may be read by, the widest first: the logits of that view and of those within it.
    ``whole`` is what genes say of all its spots, ``mixtures`` what they would of parts of it.
    """

    section: SectionData
    logits: dict[str, dict[str, Array]]
    whole: Evidence | None = None
    mixtures: tuple[Evidence, ...] = ()

    def shifted(self, composition: Composition) -> HeldOut:
        """Return it as an ensemble with that composition would have said it."""
        shift = composition.shift(self.whole.level, self.whole.logits) if self.whole else 0.0
        said = {
            view: {part: values + shift if part == "genes" else values for part, values in parts.items()}
            for view, parts in self.logits.items()
        }
        return replace(self, logits=said)

    @property
    def view(self) -> str:
        """The widest view."""
        return next(iter(self.logits))

    @property
    def labels(self) -> Array:
        """The known labels, in the logits' order."""
        return self.section.labels[self.section.labels >= 0]


def hold_out(
    sections: Sequence[SectionData], fit: Callable[[Sequence[SectionData], str], Ensemble]
) -> Iterator[tuple[str, list[HeldOut]]]:
    """Yield every patient with what models trained on the others say of its sections.

    A patient without whom one class is missing cannot be held out.
    """
    for patient in patients(sections):
        others = [section for section in sections if section.patient != patient]
        if {label for section in others for label in section.classes} == {0, 1}:
            ensemble = fit(others, f"without {patient}")
            yield patient, [_score(ensemble, section) for section in sections if section.patient == patient]


def calibrate_on(held_out: Sequence[HeldOut], views: Sequence[str], *, fuse: bool) -> dict[str, Calibration]:
    """Return, for each view that a section may be seen by, the calibration that held-out spots ask for.

    With ``fuse`` the narrower views it contains are weighed against it. A view that held-out spots cannot calibrate is
    called by the narrower one that they can.
    """
    found = {view: _calibrate([item for item in held_out if view in item.logits], view, fuse=fuse) for view in views}
    return {view: _or_narrower(view, found) for view in views}


def auc(fold: Sequence[HeldOut]) -> float | None:
    """Return the mean AUC of some sections, each seen by all it measures; None where all have one class.

    It is before weighing: how much each view counts is known when all patients have been held out.
    """
    mixed = [item for item in fold if len(np.unique(item.labels)) == 2]
    aucs = [roc_auc_score(item.labels, item.logits[item.view][item.view]) for item in mixed]
    return float(np.mean(aucs)) if aucs else None


def _calibrate(held_out: Sequence[HeldOut], view: str, *, fuse: bool) -> Calibration:
    labels = np.concatenate([item.labels for item in held_out]) if held_out else np.array([])
    if len(np.unique(labels)) < 2:
        return Calibration.none(view, _obstacle(held_out, view))
    owners = [item.section.patient for item in held_out for _ in item.labels]
    found = [item.logits[view] for item in held_out]
    parts = [part for part in (views_within(view) if fuse else (view,)) if all(part in logits for logits in found)]
    return calibrate({part: np.concatenate([logits[part] for logits in found]) for part in parts}, labels, owners)


def _obstacle(held_out: Sequence[HeldOut], view: str) -> str:
    if not held_out:
        return f"no patient with {view} could be held out"
    return f"the held-out patients with {view} have spots of one class only"


def _or_narrower(view: str, found: Mapping[str, Calibration]) -> Calibration:
    """The view's calibration, or that of a narrower view where held-out patients decided that one alone."""
    within = [part for part in views_within(view) if part in found and found[part].method != "none"]
    if not within or within[0] == view:
        return found[view]
    why = found[view].threshold_rule.removeprefix("0.5, ")
    return found[within[0]].model_copy(update={"threshold_rule": f"that of {within[0]} alone, {why}"})


def _score(ensemble: Ensemble, section: SectionData) -> HeldOut:
    known = section.labels >= 0
    views = [view for view in views_within(ensemble.view(section)) if view in ensemble.views]
    scores = {view: ensemble.score(section, view).logits for view in views}
    said = {view: {part: logits.mean(axis=0) for part, logits in parts.items()} for view, parts in scores.items()}
    labelled = {view: {part: logits[known] for part, logits in parts.items()} for view, parts in said.items()}
    if "genes" not in said or ensemble.composition is None:
        return HeldOut(section, labelled)
    whole = Evidence(section.patient, said["genes"]["genes"], section.labels, ensemble.level(section))
    return HeldOut(section, labelled, whole, tuple(_tell(ensemble, section)))


def _tell(ensemble: Ensemble, section: SectionData) -> Iterator[Evidence]:
    for mixture in mixtures(section):
        if len(mixture.labels):
            logits = ensemble.score(mixture, "genes", ["genes"]).logits["genes"].mean(axis=0)
            yield Evidence(section.patient, logits, mixture.labels, ensemble.level(mixture))
