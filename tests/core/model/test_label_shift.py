"""The label-shift correction: how much of a section is tumour changes its gene logits."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression
from spacrd_core.model.label_shift import KEPT_SHARES, LabelShift, Mixture, mixture_masks

GENES, MARKERS, SIDE = 60, 20, 12


def section_of(patient: str, cancer: np.ndarray, *, depth: float = 200.0) -> SectionData:
    """Spots on a square lattice: markers are three times as strong in cancer, and chemistry differs by patient."""
    seed = sum(map(ord, patient))
    chemistry = np.random.default_rng(seed).uniform(0.7, 1.4, GENES)
    profile = np.where(cancer[:, None] & (np.arange(GENES) < MARKERS), 3.0, 1.0) * chemistry
    counts = np.random.default_rng(seed + 1).poisson(depth * profile / profile.sum(axis=1, keepdims=True))
    spot = np.arange(len(cancer))
    return SectionData(
        id=patient,
        patient=patient,
        platform="st",
        identity="",
        label_source="",
        pitch_um=200.0,
        spot_ids=tuple(map(str, spot)),
        xy_um=200.0 * np.column_stack([spot % SIDE, spot // SIDE]),
        labels=cancer.astype(np.int64),
        expression=Expression.from_counts(sparse.csr_matrix(counts), [f"GENE{n}" for n in range(GENES)]),
        image=None,
        image_coverage=None,
        recipe=None,
    )


def half_cancer() -> np.ndarray:
    return np.arange(SIDE**2) % SIDE < SIDE // 2


@pytest.fixture(scope="module")
def patients() -> list[SectionData]:
    return [section_of(patient, half_cancer()) for patient in ("A", "B", "C", "D")]


@pytest.fixture(scope="module")
def preprocessor(patients: list[SectionData]) -> Preprocessor:
    return Preprocessor.fit(patients, CohortOptions())


@pytest.fixture(scope="module")
def unweighted(patients: list[SectionData], preprocessor: Preprocessor) -> LabelShift:
    """A label shift with a tumour score, before its weights are fitted."""
    label_shift = fit(patients, preprocessor)
    assert label_shift is not None
    return label_shift


def fit(patients: list[SectionData], preprocessor: Preprocessor) -> LabelShift | None:
    return LabelShift.fit([*map(preprocessor.transform, patients)], genes_read=preprocessor.genes_read)


def tumour_score(section: SectionData, label_shift: LabelShift, preprocessor: Preprocessor) -> float:
    return label_shift.tumour_score(preprocessor.transform(section), genes_read=preprocessor.genes_read)


def scored(section: SectionData, label_shift: LabelShift, preprocessor: Preprocessor) -> Mixture:
    """Scores of a head that standardises within the section: the mean logit is 0 whatever the section contains."""
    logits = np.where(section.labels == 1, 2.0, -2.0) + np.random.default_rng(0).normal(0, 0.7, len(section.labels))
    score = tumour_score(section, label_shift, preprocessor)
    return Mixture(section.patient, logits - logits.mean(), section.labels, score)


def mixtures(section: SectionData) -> list[SectionData]:
    return [section.select_spots(spots) for spots in mixture_masks(section)]


@pytest.fixture(scope="module")
def label_shift(patients: list[SectionData], unweighted: LabelShift, preprocessor: Preprocessor) -> LabelShift:
    cut = [scored(mixture, unweighted, preprocessor) for section in patients for mixture in mixtures(section)]
    return unweighted.fit_weights(cut, [scored(section, unweighted, preprocessor) for section in patients])


def test_the_tumour_score_of_a_new_patient_rises_with_its_share_of_tumour(
    unweighted: LabelShift, preprocessor: Preprocessor
) -> None:
    masks = [np.arange(SIDE**2) < round(share * SIDE**2) for share in (0, 0.3, 0.7, 1)]
    scores = [tumour_score(section_of("Z", cancer), unweighted, preprocessor) for cancer in masks]
    assert scores == sorted(scores)
    assert scores[0] < -0.3 < 0.3 < scores[-1]


def test_there_is_no_shift_before_the_weights_are_fitted(unweighted: LabelShift) -> None:
    assert unweighted.shift(5.0, np.arange(9.0)) == 0.0


@pytest.mark.parametrize(("cancer", "called"), [(False, (0.0, 0.05)), (True, (0.95, 1.0))], ids=["none", "all"])
def test_a_section_of_one_tissue_is_called_as_that(
    label_shift: LabelShift, preprocessor: Preprocessor, *, cancer: bool, called: tuple[float, float]
) -> None:
    mixture = scored(section_of("Z", np.full(SIDE**2, cancer)), label_shift, preprocessor)
    share = (mixture.logits + label_shift.shift(mixture.tumour_score, mixture.logits) > 0).mean()
    assert called[0] <= share <= called[1]
    assert 0.3 < (mixture.logits > 0).mean() < 0.7, "without the shift the head would have called half of it"


def test_a_mixed_section_is_called_as_before(label_shift: LabelShift, preprocessor: Preprocessor) -> None:
    mixture = scored(section_of("Z", half_cancer()), label_shift, preprocessor)
    shifted = mixture.logits + label_shift.shift(mixture.tumour_score, mixture.logits)
    assert ((shifted > 0) == (mixture.labels == 1)).mean() > 0.95


def test_two_patients_are_too_few(
    patients: list[SectionData], unweighted: LabelShift, preprocessor: Preprocessor
) -> None:
    assert fit(patients[:2], preprocessor) is None
    cut = [scored(mixture, unweighted, preprocessor) for section in patients[:2] for mixture in mixtures(section)]
    assert not unweighted.fit_weights(cut, cut).weights.any()


def test_logits_that_contradict_the_labels_give_no_weights(
    patients: list[SectionData], unweighted: LabelShift, preprocessor: Preprocessor
) -> None:
    cut = [scored(mixture, unweighted, preprocessor) for section in patients for mixture in mixtures(section)]
    contrary = [replace(mixture, logits=-mixture.logits) for mixture in cut]
    assert not unweighted.fit_weights(contrary, contrary).weights.any()


def test_a_section_without_many_of_the_genes_has_no_tumour_score(
    unweighted: LabelShift, preprocessor: Preprocessor
) -> None:
    section = section_of("Z", half_cancer())
    assert section.expression is not None
    few = Expression(section.expression.values[:, :30], section.expression.symbols[:30])
    assert np.isnan(tumour_score(replace(section, expression=few), unweighted, preprocessor))


def test_a_section_of_another_depth_has_no_tumour_score(unweighted: LabelShift, preprocessor: Preprocessor) -> None:
    assert np.isnan(tumour_score(section_of("Z", half_cancer(), depth=15.0), unweighted, preprocessor))


def test_a_section_without_a_tumour_score_gets_the_mean_shift(
    patients: list[SectionData], label_shift: LabelShift, preprocessor: Preprocessor
) -> None:
    sections = [scored(section, label_shift, preprocessor) for section in patients]
    shifts = [label_shift.shift(section.tumour_score, section.logits) for section in sections]
    assert label_shift.shift(np.nan, np.arange(9.0)) == pytest.approx(np.mean(shifts))


def test_a_section_is_cut_to_every_mixture(patients: list[SectionData]) -> None:
    unknown = replace(patients[0], labels=np.where(np.arange(SIDE**2) < SIDE, -1, patients[0].labels))
    shares = [mixture.labels.mean() for mixture in mixtures(unknown)]
    assert len(shares) == 1 + 2 * len(KEPT_SHARES)
    assert min(shares) == 0.0
    assert max(shares) == 1.0
    assert all((mixture.labels >= 0).all() for mixture in mixtures(unknown))
