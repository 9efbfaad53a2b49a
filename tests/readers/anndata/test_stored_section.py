"""Sections that leave one store and enter another: they come back as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import zarr
from bundles.anndata_file import tissue_object, write_anndata

from spacrd_core.errors import GeometryError, LabelError
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.ingestion.options import IngestRequest
from spacrd_core.results.files.h5ad import write_h5ad
from spacrd_core.results.result import Provenance, SectionResult
from spacrd_core.section.section import Given
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import Ticket, add_section
from spacrd_readers.anndata.reader import AnnData

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSection

    from spacrd_core.plugins import Plugins
    from spacrd_core.section.section import Section

PROVENANCE = Provenance(
    detector="demo", head="spacrd", encoder="stain", modalities="genes", licence="", label_source="somebody",
    training_sections=(), threshold_rule="0.5", calibration="none", versions={}, created="2026-01-01T00:00:00+00:00",
)  # fmt: skip


@pytest.fixture
def original(make_section: MakeSection) -> Section:
    """A section turned against its image, of square spots, with every kind of label."""
    section = make_section(1)
    turn = np.radians(30)
    spots = section.counts.obs
    spots[["x_um", "y_um"]] = spots[["x_um", "y_um"]] @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    spots.loc[spots.index[:3], "label"] = None
    spots["annotation"] = np.where(spots["label"] == "cancer", "DCIS", "stroma")
    spots["label_source"] = "pathologist.csv"
    spots["label_contested"] = np.arange(len(spots)) % 7 == 0
    spots["label_fraction"] = np.linspace(0, 1, len(spots))
    spots["n_cells"] = np.arange(len(spots))
    section.counts.var["gene_id"] = [f"ENSG{place:011d}" for place in range(section.counts.n_vars)]
    section.counts.var_names = [section.counts.var["gene_id"].iloc[0], *section.counts.var_names[1:]]
    return replace(section, platform="xenium", spot_um=90.0, spot_shape="square")


@pytest.fixture
def store(tmp_path: Path, original: Section) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, original, Ticket("S1", "P1", "abc"))
    return store


def exported(store: SpotStore, folder: Path) -> Path:
    """Write the section with calls, as ``spacrd export --format h5ad`` and ``spacrd detect`` do."""
    entry, adata = store.entry("S1"), store.section("S1")
    said = {"probability": 0.5, "label": "normal", "spread": 0.1, "ood": 0.2, "set": "normal", "top_modality": "genes"}
    calls = pd.DataFrame(said | {"top_contribution": -0.7}, index=adata.obs_names)
    facts = entry.model_dump(include={"patient", "platform", "um_per_px", "spot_um", "spot_shape", "pitch_um"})
    result = SectionResult(section_id="S1", adata=adata, spots=calls, threshold=0.5, **facts)
    write_h5ad(result, folder / "S1.h5ad", PROVENANCE)
    return folder / "S1.h5ad"


@pytest.mark.parametrize("form", ["group of the store", "export"])
def test_a_section_comes_back_as_it_was(store: SpotStore, tmp_path: Path, plugins: Plugins, form: str) -> None:
    entry = store.entry("S1")
    path = exported(store, tmp_path) if form == "export" else store.path / entry.section.path
    other = SpotStore.create(tmp_path / "other")
    back = ingest(other, IngestRequest(path, name="S1", patient="P1"), plugins).entry
    before, after = store.section("S1"), other.section("S1")
    pd.testing.assert_frame_equal(before.obs, after.obs, check_categorical=False)
    assert list(after.obs["label"].cat.categories) == ["cancer", "normal"]
    pd.testing.assert_frame_equal(before.var, after.var)
    assert (before.X != after.X).nnz == 0
    kept = {"platform", "um_per_px", "spot_um", "spot_shape", "pitch_um", "labelled", "cancer", "label_source"}
    assert back.model_dump(include=kept) == entry.model_dump(include=kept)
    assert back.label_source == "pathologist.csv"
    assert back.slide


@pytest.mark.parametrize(("said", "kept"), [("", "P1"), ("P7", "P7")])
def test_an_export_remembers_its_patient_unless_the_user_says_another(
    store: SpotStore, tmp_path: Path, plugins: Plugins, said: str, kept: str
) -> None:
    path, other = exported(store, tmp_path), SpotStore.create(tmp_path / "other")
    back = ingest(other, IngestRequest(path, name="new", patient=said), plugins)
    assert (back.entry.patient, back.patient_given) == (kept, True)


def test_a_section_of_a_store_that_kept_no_shape_of_spots_has_discs(store: SpotStore, original: Section) -> None:
    path = store.path / store.entry("S1").section.path
    kept = zarr.open_group(path / "uns/spacrd", mode="r+", use_consolidated=False)
    del kept["spot_um"], kept["spot_shape"]
    section = AnnData(AnnData.Options()).read(path, Given())
    assert (section.spot_um, section.spot_shape) == (original.spot_um, "disc")
    assert section.um_per_px == original.um_per_px


@pytest.mark.parametrize("um_per_px", [0.0, -1.0, np.nan, "half"])
def test_facts_that_cannot_be_are_not_believed(store: SpotStore, tmp_path: Path, um_per_px: object) -> None:
    adata = store.section("S1")
    adata.uns["spacrd"]["um_per_px"] = um_per_px
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    with pytest.raises(GeometryError, match=r"um/px of .*S1\.h5ad is not known"):
        AnnData(AnnData.Options()).read(path, Given())


def test_positions_that_are_none_and_genes_that_were_renamed_are_read_as_of_any_object(
    store: SpotStore, tmp_path: Path
) -> None:
    adata = store.section("S1")
    adata.var = adata.var[["gene_id"]]
    section = AnnData(AnnData.Options()).read(write_anndata(adata, tmp_path / "S1.h5ad"), Given())
    assert list(section.counts.var["gene_id"]) == list(adata.var["gene_id"])
    adata.obs["x_um"] = "here"
    with pytest.raises(GeometryError, match=r"um/px of .*S2\.h5ad is not known"):
        AnnData(AnnData.Options()).read(write_anndata(adata, tmp_path / "S2.h5ad"), Given())


def test_new_labels_replace_those_a_section_came_with(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    table = tmp_path / "mine.csv"
    names = store.section("S1").obs_names
    table.write_text("id,label\n" + "\n".join(f"{name},normal" for name in names))
    other = SpotStore.create(tmp_path / "other")
    entry = ingest(other, IngestRequest(exported(store, tmp_path), name="S1", labels=table), plugins).entry
    assert (entry.labelled, entry.cancer, entry.label_source) == (len(names), 0, "mine.csv")
    assert "label_fraction" not in other.section("S1").obs.columns


def test_um_per_px_as_given_rescales_a_section(store: SpotStore, tmp_path: Path, original: Section) -> None:
    section = AnnData(AnnData.Options(spot_um=80.0)).read(exported(store, tmp_path), Given(um_per_px=10.0))
    assert (section.um_per_px, section.spot_um, section.pitch_um) == (10.0, 80.0, original.pitch_um * 2)
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], original.counts.obs[["x_um", "y_um"]] * 2)


def test_labels_that_somebody_changed_are_not_lost_in_silence(store: SpotStore, tmp_path: Path) -> None:
    path = exported(store, tmp_path)
    adata = ad.read_h5ad(path)
    adata.obs["label"] = adata.obs["label"].cat.rename_categories({"cancer": "tumour"})
    adata.write_h5ad(path)
    with pytest.raises(LabelError) as caught:
        AnnData(AnnData.Options()).read(path, Given())
    assert str(caught.value) == f"obs['label'] of {path} reads 'tumour', 'cancer' or 'normal' was wanted"
    assert caught.value.hint == "rename the column, and give labels by --labels FILE"


def test_an_object_of_another_tool_keeps_its_labels_to_itself(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obs["label"] = "leiden 3"
    section = AnnData(AnnData.Options()).read(write_anndata(adata, tmp_path / "S1.h5ad"), Given())
    assert list(section.counts.obs.columns) == ["x_px", "y_px", "array_x", "array_y", "x_um", "y_um"]
