"""How trained logits and a section's own evidence add up, by plain formulas."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from stand_ins.carcinoma import LISTS, carcinoma_section

from spacrd_core.arrays import Array
from spacrd_core.cohort.evidence import SectionEvidence
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.model.combination import combine, combine_by_evidence, part_names, trusted_modalities
from spacrd_core.prior.options import PriorOptions
from spacrd_core.prior.read import read_evidence

SPOTS, MEMBERS = 200, 2
OPTIONS = PriorOptions(genes_weight=2.0, fused_weight=0.35)


def z(values: Array) -> Array:
    return (values - values.mean()) / values.std()


def known(values: Array | None) -> Array:
    assert values is not None
    return values


def correlation(first: Array, second: Array) -> float:
    return float(np.corrcoef(first, second)[0, 1])


@pytest.fixture
def evidence() -> SectionEvidence:
    rng = np.random.default_rng(0)
    tumour = np.repeat([1.0, -1.0], SPOTS // 2)
    return SectionEvidence(
        genes=z(tumour + rng.normal(0, 0.5, SPOTS)),
        image=z(tumour + rng.normal(0, 0.7, SPOTS)),
        structure={"genes": 0.6, "image": 0.6},
    )


@pytest.fixture
def logits(evidence: SectionEvidence) -> dict[str, Array]:
    """Two members that agree with the evidence, at a level of their own."""
    rng = np.random.default_rng(1)
    genes, image = known(evidence.genes), known(evidence.image)
    noise = rng.normal(0, 0.6, (2, MEMBERS, SPOTS))
    return {"genes": 1.5 + 3 * (genes + noise[0]), "image": -2 + 4 * (image + noise[1])}


def contrary(logits: Mapping[str, Array]) -> dict[str, Array]:
    return {name: -values for name, values in logits.items()}


def test_by_genes_the_lists_are_added_with_a_constant_weight(
    logits: dict[str, Array], evidence: SectionEvidence
) -> None:
    found = combine(logits, "genes", evidence, OPTIONS)
    assert list(found.parts) == ["genes"]
    np.testing.assert_allclose(found.parts["genes"], logits["genes"] + 2.0 * known(evidence.genes))
    assert found.evidence_weight == 2.0
    assert found.agreement["genes"] == pytest.approx(correlation(logits["genes"].mean(axis=0), known(evidence.genes)))


def test_by_image_the_logit_counts_as_far_as_it_agrees_with_the_density(
    logits: dict[str, Array], evidence: SectionEvidence
) -> None:
    found = combine({"image": logits["image"]}, "image", evidence, OPTIONS)
    mean = logits["image"].mean(axis=0)
    level, spread, trust = mean.mean(), mean.std(), correlation(mean, known(evidence.image))
    assert 0.6 < trust < 0.95
    wanted = level + spread * (trust * (logits["image"] - level) / spread + (1 - trust) * known(evidence.image))
    assert list(found.parts) == ["image"]
    np.testing.assert_allclose(found.parts["image"], wanted)
    assert found.agreement == pytest.approx({"image": trust})


def test_with_both_the_lists_have_a_small_weight_beside_the_image_and_trained_genes_none(
    logits: dict[str, Array], evidence: SectionEvidence
) -> None:
    found = combine(logits, "image+genes", evidence, OPTIONS)
    alone = combine({"image": logits["image"]}, "image", evidence, OPTIONS)
    spread = logits["image"].mean(axis=0).std()
    np.testing.assert_allclose(found.parts["image"], alone.parts["image"])
    np.testing.assert_allclose(found.parts["genes"], np.tile(spread * 0.35 * known(evidence.genes), (MEMBERS, 1)))
    assert found.evidence_weight == pytest.approx(spread * 0.35)
    others = combine(logits | {"genes": 7 * logits["genes"] ** 2}, "image+genes", evidence, OPTIONS)
    np.testing.assert_array_equal(sum(others.parts.values()), sum(found.parts.values()))


def test_an_image_that_contradicts_its_density_is_replaced_by_it(
    logits: dict[str, Array], evidence: SectionEvidence
) -> None:
    found = combine({"image": -logits["image"]}, "image", evidence, OPTIONS).parts["image"]
    level, spread = -logits["image"].mean(), logits["image"].mean(axis=0).std()
    np.testing.assert_allclose(found, level + spread * np.tile(known(evidence.image), (MEMBERS, 1)))


def test_the_gate_can_be_left_open(logits: dict[str, Array], evidence: SectionEvidence) -> None:
    for section, options in ((evidence, PriorOptions(image_gate=False)), (replace(evidence, image=None), OPTIONS)):
        found = combine({"image": logits["image"]}, "image", section, options)
        np.testing.assert_allclose(found.parts["image"], logits["image"])


def test_without_a_measured_gene_of_the_lists_logits_stay_as_they_are(logits: dict[str, Array]) -> None:
    nothing = SectionEvidence()
    np.testing.assert_array_equal(combine(logits, "genes", nothing, OPTIONS).parts["genes"], logits["genes"])
    both = combine(logits, "image+genes", nothing, OPTIONS)
    assert list(both.parts) == ["image"]
    assert both.agreement == {}


def test_led_by_evidence_genes_count_as_far_as_they_agree(logits: dict[str, Array], evidence: SectionEvidence) -> None:
    found = combine_by_evidence("genes", evidence, {"genes": logits["genes"]}, OPTIONS)["genes"]
    mean = logits["genes"].mean(axis=0)
    scaled = (logits["genes"] - mean.mean()) / mean.std()
    np.testing.assert_allclose(found, known(evidence.genes) + correlation(mean, known(evidence.genes)) * scaled)


def test_led_by_evidence_contrary_logits_do_not_count(logits: dict[str, Array], evidence: SectionEvidence) -> None:
    for modalities in ("genes", "image", "image+genes"):
        parts = combine_by_evidence(modalities, evidence, contrary(logits), OPTIONS)
        alone = combine_by_evidence(modalities, evidence, {}, OPTIONS)
        assert tuple(parts) == tuple(alone) == part_names(modalities)
        for name, values in parts.items():
            np.testing.assert_allclose(values, np.broadcast_to(alone[name], values.shape))


def test_evidence_alone_is_the_sum_of_its_scores(evidence: SectionEvidence) -> None:
    parts = combine_by_evidence("image+genes", evidence, {}, OPTIONS)
    np.testing.assert_allclose(np.sum([*parts.values()], axis=0), (known(evidence.genes) + known(evidence.image))[None])


def shuffled(section: SectionData, *modalities: str) -> SectionData:
    """The section with the spots of some modalities in random places."""
    order = np.random.default_rng(3).permutation(len(section.labels))
    assert section.expression is not None
    if "genes" in modalities:
        section = replace(section, expression=replace(section.expression, values=section.expression.values[order]))
    return replace(section, stain=known(section.stain)[order]) if "image" in modalities else section


@pytest.mark.parametrize(
    ("lost", "trusted"),
    [((), "image+genes"), (("genes",), "image"), (("image",), "genes"), (("genes", "image"), "image+genes")],
    ids=["none", "genes", "image", "both"],
)
def test_a_modality_that_shows_no_tissue_is_not_used_if_the_other_does(lost: tuple[str, ...], trusted: str) -> None:
    evidence = read_evidence(shuffled(carcinoma_section(image=True), *lost), LISTS)
    assert trusted_modalities("image+genes", evidence) == trusted


def test_a_single_modality_is_used_whatever_it_shows() -> None:
    evidence = SectionEvidence(structure={"genes": 0.0, "image": 0.9})
    assert trusted_modalities("genes", evidence) == "genes"
