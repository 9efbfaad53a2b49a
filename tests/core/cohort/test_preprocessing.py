"""Preprocessing of a section by the options of a detector."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from core.conftest import MakeData
from scipy import sparse

from spacrd_core.arrays import Array
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.scaling import Scaler
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.expression import Expression, renormalise


def fit_preprocessor(*sections: SectionData, **options: Any) -> Preprocessor:
    return Preprocessor.fit(sections, CohortOptions.model_validate({"panel_genes": 20} | options))


def genes(preprocessor: Preprocessor, section: SectionData) -> Array:
    rows = preprocessor.transform(section).genes
    assert rows is not None
    return rows[:].numpy()


def image(preprocessor: Preprocessor, section: SectionData) -> Array:
    values = preprocessor.transform(section).image
    assert values is not None
    return values


def with_still_features(section: SectionData) -> SectionData:
    """A section whose gene G1 and first number of a patch are the same in every spot."""
    assert section.expression is not None
    assert section.image is not None
    values = section.expression.values.toarray()
    values[:, section.expression.symbols.index("G1")] = 2.0
    patches = section.image.copy()
    patches[:, 0] = 5.0
    return replace(section, expression=replace(section.expression, values=sparse.csr_matrix(values)), image=patches)


def test_the_library_is_all_genes_or_those_of_the_panel_that_are_measured(make_data: MakeData) -> None:
    section = make_data("A", 1)
    totals = {}
    for library in ("all", "panel"):
        expression = fit_preprocessor(section, library=library).align(section).expression
        assert expression is not None
        totals[library] = expression.expm1().sum(axis=1)
    assert np.allclose(totals["panel"], 1e4, rtol=1e-5)
    assert np.all(totals["all"] < 0.99e4)
    assert CohortOptions().library == "all"


def test_the_library_of_the_panel_does_not_depend_on_other_genes(make_data: MakeData) -> None:
    section = make_data("A", 1)
    preprocessor = fit_preprocessor(section, library="panel")
    assert section.expression is not None
    columns = section.expression.columns_of(preprocessor.panel)
    few = Expression(renormalise(section.expression.values[:, columns]), section.expression.totals, preprocessor.panel)
    assert np.allclose(genes(preprocessor, replace(section, expression=few)), genes(preprocessor, section), atol=1e-5)


def test_centring_takes_the_mean_of_a_spots_genes_off_each_of_them(make_data: MakeData) -> None:
    section = make_data("A", 1)
    plain, centred = (genes(fit_preprocessor(section, gene_centring=on), section) for on in (False, True))
    assert np.allclose(centred, plain - plain.mean(axis=1, keepdims=True), atol=1e-6)
    assert np.abs(plain.mean(axis=1)).max() > 0.05


def test_centring_is_off_by_default(make_data: MakeData) -> None:
    assert CohortOptions().gene_centring is False
    assert np.abs(genes(fit_preprocessor(make_data("A", 1)), make_data("A", 1)).mean(axis=1)).max() > 0.05


def test_centring_leaves_genes_that_were_not_measured_out(make_data: MakeData) -> None:
    section = make_data("A", 1)
    preprocessor = replace(
        fit_preprocessor(section, gene_centring=True), panel=("ABSENT", "G0", "G1", "G2", "MISSING"), panel_ids=()
    )
    values = genes(preprocessor, section)
    assert not values[:, [0, 4]].any()
    assert values[:, 1:4].mean(axis=1) == pytest.approx(0, abs=1e-6)
    assert values[:, 1:4].any()


def test_what_all_genes_of_a_spot_share_is_gone_once_centred(make_data: MakeData) -> None:
    section = make_data("A", 1)
    assert section.expression is not None
    spots, measured = section.expression.values.shape
    depth = sparse.csr_matrix(np.tile(np.linspace(1.0, 2.0, spots)[:, None], measured))
    section = replace(section, expression=replace(section.expression, values=depth))
    assert np.ptp(genes(fit_preprocessor(section), section)) > 3.0
    assert np.abs(genes(fit_preprocessor(section, gene_centring=True), section)).max() < 1e-5


@pytest.mark.parametrize("modality", ["genes", "image"])
def test_the_range_of_every_feature_of_a_section_is_from_0_to_1(make_data: MakeData, modality: str) -> None:
    trained, target = make_data("A", 1), make_data("B", 2)
    assert target.image is not None
    target = replace(target, image=10.0 * target.image - 4.0)
    preprocessor = fit_preprocessor(trained, gene_scale="range", image_scale="range")
    for section in (trained, target):
        values = genes(preprocessor, section) if modality == "genes" else image(preprocessor, section)
        assert values.min(axis=0) == pytest.approx(0, abs=1e-6)
        assert values.max(axis=0) == pytest.approx(1, abs=1e-6)


def test_the_spread_of_every_gene_of_a_section_is_1_and_its_mean_0(make_data: MakeData) -> None:
    values = genes(fit_preprocessor(make_data("A", 1), gene_scale="spread"), make_data("B", 2))
    assert values.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert values.std(axis=0) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("scale", ["spread", "range"])
def test_a_gene_that_does_not_vary_is_0(make_data: MakeData, scale: str) -> None:
    still = with_still_features(make_data("B", 2))
    preprocessor = replace(fit_preprocessor(make_data("A", 1), gene_scale=scale), panel=("G0", "G1"), panel_ids=())
    values = genes(preprocessor, still)
    assert not values[:, 1].any()
    assert values[:, 0].any()


@pytest.mark.parametrize("scale", ["training", "section", "range"])
def test_a_number_of_a_patch_that_does_not_vary_is_0(make_data: MakeData, scale: str) -> None:
    still = with_still_features(make_data("A", 1))
    values = image(fit_preprocessor(still, image_scale=scale), still)
    assert not values[:, 0].any()
    assert values[:, 1:].any(axis=0).all()


def test_a_section_of_one_spot_has_no_range_and_is_0(make_data: MakeData) -> None:
    section = make_data("A", 1)
    assert section.image is not None
    one = replace(section, image=section.image[:1])
    assert not image(fit_preprocessor(section, image_scale="range"), one).any()


def test_scaled_features_are_single_precision() -> None:
    assert Scaler.fit_minmax(np.arange(6.0).reshape(3, 2))(np.ones((1, 2))).dtype == np.float32


def test_a_neighbourhood_is_as_wide_as_the_options_set(make_data: MakeData) -> None:
    section = make_data("A", 1)
    wide = fit_preprocessor(section, neighbours=7, radius_pitches=3.0).align(section)
    assert wide.neighbours.shape == (81, 7)
    assert wide.present.all(), "a corner has its seven within three pitches"
    assert fit_preprocessor(section, neighbours=7, radius_pitches=1.0).align(section).present[0].sum() == 3
