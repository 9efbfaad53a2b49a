"""Nothing of a held-out patient reaches the detector it is tested with: checked bit for bit, and the check is checked.

A patient is altered in every way that a leak could notice; the detector of the fold that holds this patient out must
stay what it was, while those of the other folds, which are trained on it, must not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from core.conftest import MakeData
from scipy import sparse

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.scaling import Scaler
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.evaluation import fold_tasks as evaluation
from spacrd_core.evaluation.plan import plan
from spacrd_core.evaluation.run import run
from spacrd_core.executors.local import Local
from spacrd_core.genes.expression import Expression
from spacrd_core.model import calibrated_ensemble as training
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions
from spacrd_core.model.cross_validation import OutOfFold, calibrate_folds, cross_validate
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.platt import Calibration
from spacrd_core.model.state_dict import ensemble_state
from spacrd_core.plugins import Plugins

CPU = torch.device("cpu")
SMALL = CohortOptions(panel_genes=12)
CHOICES = {
    "linear": HeadOptions(name="linear"),
    "spacrd": HeadOptions(name="spacrd", epochs={"align": 1, "reconstruct": 1, "detect": 2}),
}


def other_labels(section: SectionData) -> SectionData:
    return replace(section, labels=1 - section.labels)


def other_counts(section: SectionData) -> SectionData:
    assert section.expression is not None
    symbols = section.expression.symbols
    counts = np.random.default_rng(9).poisson(np.linspace(40.0, 1.0, len(symbols)), (len(section.labels), len(symbols)))
    return replace(section, expression=Expression.from_counts(sparse.csr_matrix(counts.astype(float)), symbols))


def other_genes(section: SectionData) -> SectionData:
    assert section.expression is not None
    names = [f"{symbol}X" if place < 10 else symbol for place, symbol in enumerate(section.expression.symbols)]
    counts = np.random.default_rng(9).poisson(4.0, (len(section.labels), len(names))).astype(float)
    return replace(section, expression=Expression.from_counts(sparse.csr_matrix(counts), names))


def other_embeddings(section: SectionData) -> SectionData:
    assert section.image is not None
    return replace(section, image=5.0 + 3.0 * section.image[::-1])


def other_tissue(section: SectionData) -> SectionData:
    return replace(section, xy_um=np.random.default_rng(9).permutation(section.xy_um))


ALTERED = (other_labels, other_counts, other_genes, other_embeddings, other_tissue)


@pytest.fixture
def sections(make_data: MakeData) -> list[SectionData]:
    return [make_data("A", 1), make_data("B", 2), make_data("C", 3)]


@pytest.fixture(params=["linear", pytest.param("spacrd", marks=pytest.mark.slow)])
def options(request: pytest.FixtureRequest) -> TrainOptions:
    return TrainOptions(head=CHOICES[request.param], cohort=SMALL, seeds=1)


class Folds:
    """The detectors of an evaluation, by the patient each was tested on."""

    def __init__(self, plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
        self._plugins, self._trained, self._modalities = plugins, list[CalibratedEnsemble](), "image+genes"

        def remember(*given: Any, **named: Any) -> CalibratedEnsemble:
            self._trained.append(training.train_calibrated(*given, **named))
            return self._trained[-1]

        monkeypatch.setattr(evaluation, "train_calibrated", remember)

    def with_modalities(self, modalities: str) -> Folds:
        """Return the same folds with these modalities only."""
        self._modalities = modalities
        return self

    def __call__(self, sections: Sequence[SectionData], options: TrainOptions) -> dict[str, CalibratedEnsemble]:
        self._trained.clear()
        tasks = plan(sections, [options], [self._modalities], (42,), "patient")
        rows = list(run(tasks, Local(list, sections), encoder="made", device="cpu", heads=self._plugins.heads))
        detectors = {task.test: trained for task, trained in zip(tasks, self._trained, strict=True)}
        return {row.patient: detectors[test] for row in rows for test in detectors if row.section in test}


@pytest.fixture
def folds(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> Folds:
    return Folds(plugins, monkeypatch)


def differing(before: CalibratedEnsemble, after: CalibratedEnsemble) -> set[str]:
    """The parts in which two detectors differ by a bit or more."""
    one, two = _parts(before.ensemble), _parts(after.ensemble)
    one["calibration"], two["calibration"] = tuple(before.calibrations.items()), tuple(after.calibrations.items())
    return {part for part in one if not _same(one[part], two[part])}


def _parts(ensemble: Ensemble) -> dict[str, Any]:
    state = ensemble_state(ensemble)
    return {
        "gene panel": ensemble.preprocessor.panel,
        "image scale": {name: value for name, value in state.items() if name.startswith("image_scaler")},
        "components": {name: value for name, value in state.items() if ".components." in name},
        "weights": {name: value for name, value in state.items() if "head." in name and ".components." not in name},
        "training distribution": {name: value for name, value in state.items() if ".distribution." in name},
    }


def _same(one: Any, two: Any) -> bool:
    if not isinstance(one, dict):
        return bool(one == two)
    return one.keys() == two.keys() and all(_bits(one[name]) == _bits(two[name]) for name in one)


def _bits(value: Any) -> Any:
    """A tensor as its shape and bytes; anything else as it is."""
    return (value.shape, value.numpy().tobytes()) if isinstance(value, torch.Tensor) else value


def with_altered(sections: Sequence[SectionData], alter: Callable[[SectionData], SectionData]) -> list[SectionData]:
    """The same sections but for the last, patient C."""
    return [*sections[:-1], alter(sections[-1])]


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("alter", ALTERED)
def test_whatever_the_held_out_patient_is_its_detector_is_the_same_to_the_bit(
    alter: Callable[[SectionData], SectionData], sections: list[SectionData], options: TrainOptions, folds: Folds
) -> None:
    before, after = folds(sections, options), folds(with_altered(sections, alter), options)
    assert differing(before["C"], after["C"]) == set()
    assert "weights" in differing(before["A"], after["A"]), "C is learned from where A is held out"
    assert "calibration" in differing(before["B"], after["B"])


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("alter", [other_labels, other_counts, other_genes, other_tissue])
def test_whatever_the_genes_of_the_held_out_patient_are_its_detector_of_genes_is_the_same_to_the_bit(
    alter: Callable[[SectionData], SectionData], sections: list[SectionData], folds: Folds
) -> None:
    choice = HeadOptions(name="spacrd", options={"deep_genes": True}, epochs={"reconstruct": 0, "detect": 1})
    options = TrainOptions(head=choice, cohort=SMALL, seeds=1)
    read = folds.with_modalities("genes")
    before, after = read(sections, options), read(with_altered(sections, alter), options)
    assert differing(before["C"], after["C"]) == set()
    experts = [
        {name: value for name, value in _parts(found["A"].ensemble)["weights"].items() if ".expert." in name}
        for found in (before, after)
    ]
    assert experts[0]
    assert not _same(*experts), "the expert of the other folds learns from C"


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("alter", ALTERED)
def test_whatever_one_of_a_group_is_the_detector_without_the_group_is_the_same_to_the_bit(
    alter: Callable[[SectionData], SectionData], sections: list[SectionData], make_data: MakeData, folds: Folds
) -> None:
    four = [make_data("D", 4), *sections]
    options = TrainOptions(head=CHOICES["linear"], cohort=SMALL, seeds=1, folds=3)
    before, after = folds(four, options), folds(with_altered(four, alter), options)
    unlike = {patient for patient in before if differing(before[patient], after[patient])}
    groups = options.groups(four)
    assert [len(group) for group in groups].count(2) == 1
    assert unlike == {patient for group in groups for patient in group if "C" not in group}


def members(sections: Sequence[SectionData], plugins: Plugins) -> dict[str, dict[str, Any]]:
    """The parts of the models that calibration uses, by the patient they are held out from."""
    found = {}

    def fit(seen: Sequence[SectionData], stage: str) -> Ensemble:
        choice, options = CHOICES["linear"], SMALL
        found[stage] = Ensemble.train(
            seen, head_options=choice, options=options, seeds=(42,), heads=plugins.heads, device=CPU
        )
        return found[stage]

    list(cross_validate(sections, [(section.patient,) for section in sections], fit))
    return {stage: _parts(ensemble) for stage, ensemble in found.items()}


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("alter", ALTERED)
def test_whatever_the_patient_held_out_for_calibration_is_the_models_that_judge_it_are_the_same(
    alter: Callable[[SectionData], SectionData], sections: list[SectionData], plugins: Plugins
) -> None:
    before, after = members(sections, plugins), members(with_altered(sections, alter), plugins)
    assert all(_same(value, after["without C"][part]) for part, value in before["without C"].items())
    assert not _same(before["without A"]["weights"], after["without A"]["weights"])


def leaking_panel(everything: Sequence[SectionData], monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose genes on all sections."""
    honest = Preprocessor.fit_transform

    def leaky(
        seen: Sequence[SectionData], options: CohortOptions, **named: Any
    ) -> tuple[Preprocessor, list[PreparedSection]]:
        preprocessor = replace(honest(seen, options, **named)[0], panel=honest(everything, options)[0].panel)
        return preprocessor, [*map(preprocessor.transform, seen)]

    monkeypatch.setattr(Preprocessor, "fit_transform", leaky)


def leaking_scale(everything: Sequence[SectionData], monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale embeddings by all sections."""
    honest = Preprocessor.fit_transform

    def leaky(
        seen: Sequence[SectionData], options: CohortOptions, **named: Any
    ) -> tuple[Preprocessor, list[PreparedSection]]:
        scaler = Scaler.fit([section.image for section in everything if section.image is not None])
        preprocessor = replace(honest(seen, options, **named)[0], image_scaler=scaler)
        return preprocessor, [*map(preprocessor.transform, seen)]

    monkeypatch.setattr(Preprocessor, "fit_transform", leaky)


def leaking_components(everything: Sequence[SectionData], monkeypatch: pytest.MonkeyPatch) -> None:
    """Find principal components on all sections, the labels of the held-out patient unknown."""
    honest = Ensemble.train

    def leaky(seen: Sequence[SectionData], **named: Any) -> Ensemble:
        known = {section.id for section in seen}
        unseen = [replace(s, labels=np.full_like(s.labels, -1)) for s in everything if s.id not in known]
        return honest([*seen, *unseen], **named)

    monkeypatch.setattr(Ensemble, "train", leaky)
    monkeypatch.setattr("spacrd_core.model.ensemble.split_by_labels", lambda sections: ([*sections], []))


def leaking_calibration(everything: Sequence[SectionData], monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibrate on every patient there is."""

    def leaky(folds: Sequence[OutOfFold], modality_sets: Sequence[str], *, fuse: bool) -> dict[str, Calibration]:
        held_out = {fold.section.id for fold in folds}
        unseen = [
            OutOfFold(s, {name: dict.fromkeys(modality_sets, s.image[:, 0]) for name in modality_sets})
            for s in everything
            if s.id not in held_out and s.image is not None
        ]
        return calibrate_folds([*folds, *unseen], modality_sets, fuse=fuse)

    monkeypatch.setattr(training, "calibrate_folds", leaky)


CAUGHT: Mapping[Any, tuple[Callable[[SectionData], SectionData], str]] = {
    leaking_panel: (other_genes, "gene panel"),
    leaking_scale: (other_embeddings, "image scale"),
    leaking_components: (other_embeddings, "components"),
    leaking_calibration: (other_labels, "calibration"),
}


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("plant", CAUGHT)
def test_a_planted_leak_is_caught(
    plant: Callable[[Sequence[SectionData], pytest.MonkeyPatch], None],
    sections: list[SectionData],
    folds: Folds,
) -> None:
    alter, part = CAUGHT[plant]
    options = TrainOptions(head=CHOICES["linear"], cohort=SMALL, seeds=1)
    found = []
    for some in (sections, with_altered(sections, alter)):
        with pytest.MonkeyPatch.context() as planted:
            plant(some, planted)
            found.append(folds(some, options)["C"])
    assert part in differing(*found)
