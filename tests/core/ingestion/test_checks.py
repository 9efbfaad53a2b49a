"""Every section is checked at ingest, and all errors are reported together."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from spacrd_core.errors import CountsError, GeometryError
from spacrd_core.ingestion import checks as module
from spacrd_core.ingestion.checks import check_section
from spacrd_core.section.section import Section, Source


def with_counts(section: Section, change: Callable[[Any], None]) -> Section:
    counts = section.counts.copy()
    values = counts.X.astype(float)
    change(values)
    counts.X = sparse.csr_matrix(values)
    return replace(section, counts=counts, sources=(*section.sources, Source("counts", Path("counts.h5"), "0" * 64)))


def test_a_sound_section_gets_its_figures_and_no_note(make_section: Any) -> None:
    section, found = check_section(make_section(0))
    assert section.notes == ()
    assert (found.inside_image, found.empty_spots, found.shared_symbols, found.genes_with_ids) == (1.0, 0, 0, 0)


def test_without_an_image_its_figures_are_none(make_section: Any) -> None:
    found = check_section(make_section(0, image=False))[1]
    assert found.inside_image is None
    assert found.image_um_per_px is None


@pytest.mark.parametrize("value", [0.6931, -1.0, np.inf])
def test_values_that_are_not_counts_are_refused_with_their_place(make_section: Any, value: float) -> None:
    def spoil(values: Any) -> None:
        values.data[0] = value

    section = with_counts(make_section(0), spoil)
    with pytest.raises(CountsError) as caught:
        check_section(section)
    gene = section.counts.var_names[section.counts.X.indices[0]]
    assert f"{value:g} at spot 1x1, gene {gene}" in str(caught.value)
    assert caught.value.hint == "give the raw counts, before any normalisation or logarithm"


def without_single_counts(section: Any) -> Any:
    """The section with three counts of every one of 600 genes in every spot."""
    counts = ad.AnnData(
        X=sparse.csr_matrix(np.full((section.counts.n_obs, 600), 3, dtype=np.int32)),
        obs=section.counts.obs,
        var=pd.DataFrame({"symbol": "A", "gene_id": ""}, index=[f"GENE{number}" for number in range(600)]),
    )
    return replace(section, counts=counts)


def test_spots_summed_from_cells_may_have_no_single_count(make_section: Any) -> None:
    section = without_single_counts(make_section(0))
    section.counts.obs["n_cells"] = 90
    assert check_section(section)


def test_counts_scaled_and_rounded_are_refused(make_section: Any) -> None:
    with pytest.raises(CountsError) as caught:
        check_section(without_single_counts(make_section(0)))
    assert "holds no raw counts: 100% of the spots" in str(caught.value)


def test_spots_outside_the_image_are_refused_when_most_and_noted_when_some(make_section: Any) -> None:
    section = make_section(0)
    one_outside = section.counts.copy()
    one_outside.obs.loc["1x1", "x_px"] = -1.0
    noted, found = check_section(replace(section, counts=one_outside))
    assert noted.notes == ("1 of 144 spots lie outside the image slide0.png",)
    assert found.inside_image == pytest.approx(143 / 144)
    far = replace(section, slide=replace(section.slide, scale=3.0))
    with pytest.raises(GeometryError) as caught:
        check_section(far)
    assert f"89% of the spots lie outside the image {section.slide.path} (520 x 520 px)" in str(caught.value)
    assert "x 120 to 1440, y 120 to 1440" in str(caught.value)
    assert "--image-scale" in caught.value.hint


def test_all_errors_are_reported_at_once(make_section: Any) -> None:
    def spoil(values: Any) -> None:
        values.data[0] = 0.5

    section = with_counts(make_section(0), spoil)
    assert section.slide is not None
    with pytest.raises(ExceptionGroup) as caught:
        check_section(replace(section, slide=replace(section.slide, scale=3.0)))
    assert [type(error) for error in caught.value.exceptions] == [CountsError, GeometryError]


def test_empty_spots_are_kept_and_named(make_section: Any) -> None:
    section = make_section(0)
    counts = section.counts.copy()
    values = counts.X.tolil()
    values[3] = 0
    counts.X = sparse.csr_matrix(values)
    noted, found = check_section(replace(section, counts=counts))
    assert found.empty_spots == 1
    assert noted.notes == (f"spots with zero counts, kept: 1 ({counts.obs_names[3]})",)


@pytest.mark.parametrize(("um_per_px", "noted"), [(5.1, False), (4.9, False), (5.2, True), (2.5, True)])
def test_metadata_with_another_resolution_give_a_note(
    make_section: Any, monkeypatch: pytest.MonkeyPatch, um_per_px: float, *, noted: bool
) -> None:
    monkeypatch.setattr(module, "image_um_per_px", lambda _: um_per_px)
    section, found = check_section(make_section(0))
    assert found.image_um_per_px == um_per_px
    assert bool(section.notes) == noted
    if um_per_px == 2.5:
        assert "slide0.png give 2.5 um/px, the spot positions 5 (50% difference)" in section.notes[0]


def test_an_image_in_memory_is_measured_by_its_own_size(make_section: Any) -> None:
    section = make_section(0)
    small = replace(section.slide, pixels=np.zeros((50, 50, 3), dtype=np.uint8))
    with pytest.raises(GeometryError, match=r"\(50 x 50 px\)"):
        check_section(replace(section, slide=small))


def test_genes_with_ids_and_symbols_of_several_genes_are_counted(make_section: Any) -> None:
    section = make_section(0)
    counts = section.counts.copy()
    counts.var["symbol"] = ["A", "A", *counts.var["symbol"][2:]]
    counts.var["gene_id"] = ["ENSG00000000001", *[""] * (counts.n_vars - 1)]
    found = check_section(replace(section, counts=counts))[1]
    assert (found.shared_symbols, found.genes_with_ids) == (1, 1)
