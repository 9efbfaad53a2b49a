"""What a section as a whole says of how much of it is tumour."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Lens
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression
from spacrd_core.model.label_shift import SHARES, Composition, Evidence, mixtures

GENES, MARKERS, SIDE = 60, 20, 12


def section_of(patient: str, cancer: np.ndarray, *, depth: float = 200.0) -> SectionData:
    """Spots on a square lattice; markers are thrice as strong in cancer, and every patient has its own chemistry."""
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
        expression=Expression.of_counts(sparse.csr_matrix(counts), [f"GENE{n}" for n in range(GENES)]),
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
def lens(patients: list[SectionData]) -> Lens:
    return Lens.fit(patients, CohortOptions())


@pytest.fixture(scope="module")
def fitted(patients: list[SectionData], lens: Lens) -> Composition:
    found = Composition.fit(patients, lens)
    assert found is not None
    return found


def evidence(section: SectionData, fitted: Composition, lens: Lens) -> Evidence:
    """As told by a head that standardises within the section: its logits have mean 0, whatever the section is of."""
    logits = np.where(section.labels == 1, 2.0, -2.0) + np.random.default_rng(0).normal(0, 0.7, len(section.labels))
    return Evidence(section.patient, logits - logits.mean(), section.labels, fitted.level(section, lens))


@pytest.fixture(scope="module")
def taught(patients: list[SectionData], fitted: Composition, lens: Lens) -> Composition:
    told = [evidence(cut, fitted, lens) for section in patients for cut in mixtures(section)]
    return fitted.taught(told, [evidence(section, fitted, lens) for section in patients])


def test_the_level_of_a_new_patient_rises_with_its_share_of_tumour(fitted: Composition, lens: Lens) -> None:
    shares = [np.arange(SIDE**2) < round(share * SIDE**2) for share in (0, 0.3, 0.7, 1)]
    levels = [fitted.level(section_of("Z", cancer), lens) for cancer in shares]
    assert levels == sorted(levels)
    assert levels[0] < -0.3 < 0.3 < levels[-1]


def test_it_shifts_nothing_before_it_was_taught(fitted: Composition) -> None:
    assert fitted.shift(5.0, np.arange(9.0)) == 0.0


@pytest.mark.parametrize(("cancer", "called"), [(False, (0.0, 0.05)), (True, (0.95, 1.0))], ids=["none", "all"])
def test_a_section_of_one_tissue_is_called_as_that(
    taught: Composition, lens: Lens, *, cancer: bool, called: tuple[float, float]
) -> None:
    told = evidence(section_of("Z", np.full(SIDE**2, cancer)), taught, lens)
    share = (told.logits + taught.shift(told.level, told.logits) > 0).mean()
    assert called[0] <= share <= called[1]
    assert 0.3 < (told.logits > 0).mean() < 0.7, "by itself the head would have called half of it"


def test_a_mixed_section_is_called_as_before(taught: Composition, lens: Lens) -> None:
    told = evidence(section_of("Z", half_cancer()), taught, lens)
    shifted = told.logits + taught.shift(told.level, told.logits)
    assert ((shifted > 0) == (told.labels == 1)).mean() > 0.95


def test_two_patients_are_too_few_to_tell(patients: list[SectionData], fitted: Composition, lens: Lens) -> None:
    assert Composition.fit(patients[:2], lens) is None
    told = [evidence(cut, fitted, lens) for section in patients[:2] for cut in mixtures(section)]
    assert not fitted.taught(told, told).weights.any()


def test_logits_that_held_out_patients_contradict_teach_nothing(
    patients: list[SectionData], fitted: Composition, lens: Lens
) -> None:
    told = [evidence(cut, fitted, lens) for section in patients for cut in mixtures(section)]
    contrary = [replace(each, logits=-each.logits) for each in told]
    assert not fitted.taught(contrary, contrary).weights.any()


def test_a_section_that_lacks_many_genes_has_no_level(fitted: Composition, lens: Lens) -> None:
    section = section_of("Z", half_cancer())
    assert section.expression is not None
    few = Expression(section.expression.values[:, :30], section.expression.symbols[:30])
    assert np.isnan(fitted.level(replace(section, expression=few), lens))


def test_a_section_read_to_another_depth_has_no_level(fitted: Composition, lens: Lens) -> None:
    assert np.isnan(fitted.level(section_of("Z", half_cancer(), depth=15.0), lens))


def test_a_section_without_a_level_is_taken_as_held_out_ones_on_average(
    patients: list[SectionData], taught: Composition, lens: Lens
) -> None:
    told = [evidence(section, taught, lens) for section in patients]
    shifts = [taught.shift(each.level, each.logits) for each in told]
    assert taught.shift(np.nan, np.arange(9.0)) == pytest.approx(np.mean(shifts))


def test_a_section_is_cut_to_every_mixture(patients: list[SectionData]) -> None:
    unknown = replace(patients[0], labels=np.where(np.arange(SIDE**2) < SIDE, -1, patients[0].labels))
    found = [cut.labels.mean() for cut in mixtures(unknown)]
    assert len(found) == 1 + 2 * len(SHARES)
    assert min(found) == 0.0
    assert max(found) == 1.0
    assert all((cut.labels >= 0).all() for cut in mixtures(unknown))
