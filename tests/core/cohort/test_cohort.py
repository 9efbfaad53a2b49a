from dataclasses import replace

import numpy as np
import pytest
import torch
from core.conftest import MakeData

from spacrd_core.arrays import Array
from spacrd_core.cohort.cohort import Cohort, shuffled
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.scaling import Scaler
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.errors import DetectorError

CPU = torch.device("cpu")


@pytest.fixture
def cohort(make_data: MakeData) -> Cohort:
    sections = [make_data("A", 1), make_data("B", 2)]
    return Cohort.from_sections(Preprocessor.fit_transform(sections, CohortOptions(panel_genes=20))[1], CPU)


def test_a_batch_holds_every_needed_spot_once(cohort: Cohort) -> None:
    batch = cohort.batch(torch.tensor([0, 1, 2]))
    assert batch.genes is not None
    assert len(batch.genes) == len(torch.unique(cohort.neighbours[:3][cohort.present[:3]]))
    assert torch.equal(batch.genes[batch.centres], cohort.genes[:3])  # type: ignore[index]


def test_a_batch_keeps_every_neighbourhood(cohort: Cohort) -> None:
    centres = torch.tensor([40, 5])
    batch = cohort.batch(centres)
    assert batch.image is not None
    for row, centre in enumerate(centres):
        mine = cohort.neighbours[centre][cohort.present[centre]]
        assert torch.equal(batch.image[batch.neighbours[row][batch.present[row]]], cohort.image[mine])  # type: ignore[index]


def test_no_neighbourhood_reaches_into_another_section(cohort: Cohort) -> None:
    first = cohort.neighbours[:81][cohort.present[:81]]
    assert int(first.max()) < 81
    assert int(cohort.neighbours[81:][cohort.present[81:]].min()) >= 81


def test_a_corner_spot_has_padded_places(cohort: Cohort) -> None:
    assert int(cohort.present[0].sum()) == 4, "itself, two sides and a diagonal within 1.6 pitches"
    assert bool(cohort.present[40].all()), "a spot inside has all nine"


def test_one_shuffled_pass_visits_every_spot_once(cohort: Cohort) -> None:
    batches = list(shuffled([cohort], 50, torch.Generator().manual_seed(0)))
    assert sum(len(batch.labels) for batch in batches) == len(cohort)
    assert sum(int(batch.labels.sum()) for batch in batches) == int(cohort.labels.sum())


def test_shuffled_batches_need_few_spots_beside_their_centres(cohort: Cohort) -> None:
    batch = next(shuffled([cohort], 36, torch.Generator().manual_seed(0)))
    assert batch.genes is not None
    assert len(batch.genes) < 2.5 * len(batch.labels)


def test_single_spots_come_from_all_sections_without_their_neighbours(cohort: Cohort) -> None:
    batches = list(shuffled([cohort.single_spots()], 32, torch.Generator().manual_seed(0)))
    assert sum(len(batch.labels) for batch in batches) == len(cohort)
    genes = [batch.genes for batch in batches if batch.genes is not None]
    assert [len(values) for values in genes] == [len(batch.labels) for batch in batches]
    assert cohort.genes is not None
    assert all(
        (values[batch.centres].sum() - values.sum()).abs() < 1e-3 for values, batch in zip(genes, batches, strict=True)
    )
    order = cohort.single_spots().shuffled(32, torch.Generator().manual_seed(0))[0]
    assert 8 < int((order < 81).sum()) < 24, "both sections are in a batch"
    assert len(torch.unique(cohort.blocks[order])) == len(torch.unique(cohort.blocks))


def test_genes_are_standardised_within_each_section(cohort: Cohort) -> None:
    assert cohort.genes is not None
    for part in (cohort.genes[:81], cohort.genes[81:]):
        assert part.mean(dim=0).abs().max() < 1e-5
        assert (part.std(dim=0, correction=0) - 1).abs().max() < 1e-4


def transformed_image(preprocessor: Preprocessor, section: SectionData) -> Array:
    image = preprocessor.transform(section).image
    assert image is not None
    return image


def test_embeddings_are_standardised_by_the_training_patients(make_data: MakeData) -> None:
    sections = [make_data("A", 1), make_data("B", 2), make_data("B", 3)]
    preprocessor = Preprocessor.fit(sections, CohortOptions())
    target = make_data("C", 4)
    assert target.image is not None
    shifted = replace(target, image=target.image + 3.0)
    assert preprocessor.image_scaler is not None
    difference = transformed_image(preprocessor, shifted) - transformed_image(preprocessor, target)
    assert np.allclose(difference, 3.0 / preprocessor.image_scaler.scale)
    own = replace(preprocessor, options=CohortOptions(image_scale="section"))
    assert np.allclose(transformed_image(own, shifted), transformed_image(own, target), atol=1e-5)


def test_every_patient_counts_the_same_in_the_scale(make_data: MakeData) -> None:
    one, other = make_data("A", 1), make_data("B", 2)
    assert other.image is not None
    twice = [one, other, replace(other, id="again")]
    once = Preprocessor.fit([one, other], CohortOptions()).image_scaler
    assert np.allclose(Preprocessor.fit(twice, CohortOptions()).image_scaler.offset, once.offset)  # type: ignore[union-attr]


def test_patients_weigh_the_same_whatever_their_sections(make_data: MakeData) -> None:
    sections = [make_data("A", 1), make_data("B", 2), make_data("B", 3)]
    cohort = Cohort.from_sections(Preprocessor.fit_transform(sections, CohortOptions())[1], CPU)
    assert float(cohort.weights[:81].sum()) == pytest.approx(float(cohort.weights[81:].sum()), rel=1e-5)
    assert float(cohort.weights.mean()) == pytest.approx(1.0, rel=1e-5)


def test_unlabelled_spots_weigh_nothing(make_data: MakeData) -> None:
    section = make_data("A", 1)
    labels = section.labels.copy()
    labels[:10] = -1
    sections = [replace(section, labels=labels)]
    cohort = Cohort.from_sections(Preprocessor.fit_transform(sections, CohortOptions())[1], CPU)
    assert not cohort.weights[:10].any()
    assert float(cohort.weights[10:].mean()) == pytest.approx(1.0, rel=1e-5)


def test_genes_a_section_lacks_are_zero(make_data: MakeData) -> None:
    sections = [make_data("A", 1)]
    preprocessor = replace(Preprocessor.fit(sections, CohortOptions()), panel=("G0", "ABSENT"), panel_ids=())
    cohort = Cohort.from_sections([*map(preprocessor.transform, sections)], CPU)
    assert isinstance(cohort.genes, torch.Tensor)
    assert cohort.genes[:, 0].any()
    assert not cohort.genes[:, 1].any()


def test_embeddings_of_another_width_are_refused(make_data: MakeData) -> None:
    section = make_data("A", 1)
    preprocessor = replace(
        Preprocessor.fit([section], CohortOptions()), image_scaler=Scaler(np.zeros(1024), np.ones(1024))
    )
    with pytest.raises(DetectorError, match="have 6 dimensions, but the detector reads 1024"):
        Cohort.from_sections([*map(preprocessor.transform, [section])], CPU)


def test_an_image_only_detector_reads_no_genes(make_data: MakeData) -> None:
    sections = [replace(make_data("A", 1), expression=None)]
    preprocessor = Preprocessor.fit(sections, CohortOptions())
    assert (preprocessor.dims.genes, preprocessor.dims.image) == (0, 6)
    assert Cohort.from_sections([*map(preprocessor.transform, sections)], CPU).genes is None


def test_constant_features_do_not_divide_by_zero(make_data: MakeData) -> None:
    section = make_data("A", 1)
    assert section.image is not None
    image = section.image.copy()
    image[:, 3] = 5.0
    cohort = Cohort.from_sections(
        [Preprocessor.fit([section], CohortOptions()).transform(replace(section, image=image))], CPU
    )
    assert cohort.image is not None
    assert np.isfinite(cohort.image.numpy()).all()


def test_sections_with_other_modalities_are_parts_balanced_as_one(make_data: MakeData) -> None:
    sections = [make_data("A", 1), make_data("B", 2, image=False), make_data("C", 3)]
    with_images = [make_data("A", 1), make_data("B", 2), make_data("C", 3)]
    whole = Cohort.from_sections([*map(fit_preprocessor(sections).transform, with_images)], CPU)
    seeing, blind = Cohort.by_modalities([*map(fit_preprocessor(sections).transform, sections)], CPU)
    assert (seeing.modalities, blind.modalities) == ("image+genes", "genes")
    first, second, third = whole.weights.split(len(blind))
    assert torch.equal(seeing.weights, torch.cat([first, third]))
    assert torch.equal(blind.weights, second)


def test_batches_of_all_parts_visit_every_spot_once(make_data: MakeData) -> None:
    sections = [make_data("A", 1), make_data("B", 2, image=False)]
    parts = Cohort.by_modalities([*map(fit_preprocessor(sections).transform, sections)], CPU)
    batches = list(shuffled(parts, 20, torch.Generator().manual_seed(0)))
    assert {
        view: sum(len(batch.labels) for batch in batches if batch.modalities == view)
        for view in ("image+genes", "genes")
    } == {part.modalities: len(part) for part in parts}


def fit_preprocessor(sections: list[SectionData]) -> Preprocessor:
    return Preprocessor.fit(sections, CohortOptions(panel_genes=20))
