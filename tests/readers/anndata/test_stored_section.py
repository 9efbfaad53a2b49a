"""Sections exported from one store and ingested into another are unchanged."""

from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import zarr
from bundles.anndata_file import tissue_object, write_anndata
from conftest import CopyOf, MakeSection

from spacrd_core.errors import GeometryError, LabelError
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.results.files.h5ad import write_h5ad
from spacrd_core.results.result import Provenance, SectionResult
from spacrd_core.section.section import ImageInputs, Section
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section
from spacrd_readers.anndata.reader import AnnData

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
    section.counts.var["gene_id"] = [f"ENSG{number:011d}" for number in range(section.counts.n_vars)]
    section.counts.var_names = [section.counts.var["gene_id"].iloc[0], *section.counts.var_names[1:]]
    return replace(section, platform="xenium", spot_um=90.0, spot_shape="square")


@pytest.fixture
def store(copy_of: CopyOf, original: Section) -> SpotStore:
    def fill(folder: Path) -> None:
        add_section(SpotStore.create(folder), original, SectionKey("S1", "P1", "abc"))

    return SpotStore(copy_of(fill))


def exported(store: SpotStore, folder: Path) -> Path:
    """Write the section with calls, as ``spacrd export --format h5ad`` and ``spacrd detect`` do."""
    entry, adata = store.entry("S1"), store.section("S1")
    columns = {
        "probability": 0.5,
        "label": "normal",
        "spread": 0.1,
        "ood": 0.2,
        "agreement": 0.9,
        "set": "normal",
        "top_modality": "genes",
    }
    calls = pd.DataFrame(columns | {"top_contribution": -0.7, "copy_number": 0.4}, index=adata.obs_names)
    facts = entry.model_dump(include={"patient", "platform", "um_per_px", "spot_um", "spot_shape", "pitch_um"})
    result = SectionResult(section_id="S1", adata=adata, spots=calls, threshold=0.5, **facts)
    write_h5ad(result, folder / "S1.h5ad", PROVENANCE)
    return folder / "S1.h5ad"


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("form", ["group of the store", "export"])
def test_a_section_comes_back_as_it_was(store: SpotStore, tmp_path: Path, plugins: Plugins, form: str) -> None:
    entry = store.entry("S1")
    path = exported(store, tmp_path) if form == "export" else store.path / entry.section.path
    other = SpotStore.create(tmp_path / "other")
    back = ingest(other, path, name="S1", patient="P1", plugins=plugins).entry
    before, after = store.section("S1"), other.section("S1")
    pd.testing.assert_frame_equal(before.obs, after.obs, check_categorical=False)
    assert list(after.obs["label"].cat.categories) == ["cancer", "normal"]
    pd.testing.assert_frame_equal(before.var, after.var)
    assert (before.X != after.X).nnz == 0
    fields = {"platform", "um_per_px", "spot_um", "spot_shape", "pitch_um", "labelled", "cancer", "label_source"}
    assert back.model_dump(include=fields) == entry.model_dump(include=fields)
    assert back.label_source == "pathologist.csv"
    assert back.slide


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(("patient", "expected"), [("", "P1"), ("P7", "P7")])
def test_an_export_keeps_its_patient_unless_the_user_gives_another(
    store: SpotStore, tmp_path: Path, plugins: Plugins, patient: str, expected: str
) -> None:
    path, other = exported(store, tmp_path), SpotStore.create(tmp_path / "other")
    back = ingest(other, path, name="new", patient=patient, plugins=plugins)
    assert (back.entry.patient, back.patient_given) == (expected, True)


def test_a_section_of_a_store_that_kept_no_shape_of_spots_has_discs(store: SpotStore, original: Section) -> None:
    path = store.path / store.entry("S1").section.path
    facts = zarr.open_group(path / "uns/spacrd", mode="r+", use_consolidated=False)
    del facts["spot_um"], facts["spot_shape"]
    section = AnnData(AnnData.Options()).read(path, ImageInputs())
    assert (section.spot_um, section.spot_shape) == (original.spot_um, "disc")
    assert section.um_per_px == original.um_per_px


@pytest.mark.parametrize("um_per_px", [0.0, -1.0, np.nan, "half"])
def test_impossible_sizes_are_ignored(store: SpotStore, tmp_path: Path, um_per_px: object) -> None:
    adata = store.section("S1")
    adata.uns["spacrd"]["um_per_px"] = um_per_px
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    with pytest.raises(GeometryError, match=r"um/px of .*S1\.h5ad is unknown"):
        AnnData(AnnData.Options()).read(path, ImageInputs())


def test_positions_that_are_none_and_genes_that_were_renamed_are_read_as_of_any_object(
    store: SpotStore, tmp_path: Path
) -> None:
    adata = store.section("S1")
    adata.var = adata.var[["gene_id"]]
    section = AnnData(AnnData.Options()).read(write_anndata(adata, tmp_path / "S1.h5ad"), ImageInputs())
    assert list(section.counts.var["gene_id"]) == list(adata.var["gene_id"])
    adata.obs["x_um"] = "here"
    with pytest.raises(GeometryError, match=r"um/px of .*S2\.h5ad is unknown"):
        AnnData(AnnData.Options()).read(write_anndata(adata, tmp_path / "S2.h5ad"), ImageInputs())


@pytest.mark.slow
def test_new_labels_replace_those_a_section_came_with(store: SpotStore, tmp_path: Path, plugins: Plugins) -> None:
    table = tmp_path / "mine.csv"
    names = store.section("S1").obs_names
    table.write_text("id,label\n" + "\n".join(f"{name},normal" for name in names))
    other = SpotStore.create(tmp_path / "other")
    entry = ingest(other, exported(store, tmp_path), name="S1", labels=table, plugins=plugins).entry
    assert (entry.labelled, entry.cancer, entry.label_source) == (len(names), 0, "mine.csv")
    assert "label_fraction" not in other.section("S1").obs.columns


def test_um_per_px_as_given_rescales_a_section(store: SpotStore, tmp_path: Path, original: Section) -> None:
    section = AnnData(AnnData.Options(spot_um=80.0)).read(exported(store, tmp_path), ImageInputs(um_per_px=10.0))
    assert (section.um_per_px, section.spot_um, section.pitch_um) == (10.0, 80.0, original.pitch_um * 2)
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], original.counts.obs[["x_um", "y_um"]] * 2)


def edited(store: SpotStore, folder: Path, **columns: object) -> Path:
    """Return an export whose ``obs`` was edited in scanpy."""
    path = exported(store, folder)
    adata = ad.read_h5ad(path)
    adata.obs = adata.obs.assign(**columns)
    adata.write_h5ad(path)
    return path


def read_labels(path: Path) -> tuple[list[object], pd.DataFrame, tuple[str, ...]]:
    section = AnnData(AnnData.Options()).read(path, ImageInputs(with_image=False))
    spots = section.counts.obs
    return list(spots["label"].astype(object).where(spots["label"].notna(), None)), spots, section.notes


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(
    ("cancer", "normal", "unknown"),
    [("Tumor", "stroma", "unknown"), ("cancer", "normal", ""), ("Cancer", "Normal", "Uncertain"), (True, False, None)],
)
def test_edited_labels_are_understood_as_those_of_a_label_file(
    store: SpotStore, tmp_path: Path, cancer: object, normal: object, unknown: object
) -> None:
    count = store.entry("S1").spots
    words = [cancer, normal, unknown, *[normal] * (count - 3)]
    path = edited(store, tmp_path, label=[None if word is None else str(word) for word in words])
    labels, spots, notes = read_labels(path)
    assert labels == ["cancer", "normal", None, *["normal"] * (count - 3)]
    assert list(spots["label"].cat.categories) == ["cancer", "normal"]
    if (cancer, normal) == ("cancer", "normal"):
        assert notes == ()
    else:
        assert f"'{normal}' as normal ({count - 2}), '{cancer}' as cancer (1)" in notes[0]
        assert spots["annotation"].iloc[0] == str(cancer)


@pytest.mark.slow
def test_labels_that_a_user_adds_have_the_file_as_their_source(
    make_section: MakeSection, tmp_path: Path, plugins: Plugins
) -> None:
    section = make_section(1)
    section.counts.obs = section.counts.obs.drop(columns="label")
    store = SpotStore.create(tmp_path / "unlabelled")
    add_section(store, section, SectionKey("S1", "P1", "abc"))
    labels = np.where(np.arange(section.counts.n_obs) < 5, "cancer", "normal")
    path = edited(store, tmp_path, label=labels)
    other = SpotStore.create(tmp_path / "other")
    entry = ingest(other, path, name="S1", plugins=plugins).entry
    assert (entry.labelled, entry.cancer, entry.label_source) == (section.counts.n_obs, 5, "S1.h5ad")
    assert {"annotation", "label_contested", "label_source"} <= set(other.section("S1").obs.columns)


def test_labels_of_unknown_meaning_are_refused(store: SpotStore, tmp_path: Path) -> None:
    path = edited(store, tmp_path, label="zone 3")
    with pytest.raises(LabelError) as caught:
        AnnData(AnnData.Options()).read(path, ImageInputs())
    assert f"obs['label'] of {path} holds 'zone 3'" in str(caught.value)
    assert "--labels FILE" in caught.value.hint


def test_columns_that_a_user_adds_do_not_make_an_export_several_sections(store: SpotStore, tmp_path: Path) -> None:
    count = store.entry("S1").spots
    path = edited(store, tmp_path, sample=["a", "b"] * (count // 2) + ["a"] * (count % 2), leiden="3")
    section = AnnData(AnnData.Options()).read(path, ImageInputs())
    assert section.counts.n_obs == count
    assert {"sample", "leiden"} <= set(section.counts.obs.columns)
    assert section.platform == "xenium"


def test_normalised_counts_of_an_export_do_not_matter_if_the_raw_ones_were_kept(
    store: SpotStore, tmp_path: Path
) -> None:
    path = exported(store, tmp_path)
    adata = ad.read_h5ad(path)
    adata.layers["counts"], adata.X = adata.X.copy(), np.log1p(adata.X)
    adata.write_h5ad(path)
    section = AnnData(AnnData.Options()).read(path, ImageInputs())
    assert (section.counts.X != store.section("S1").X).nnz == 0


def test_an_export_without_genes_is_read_as_a_section_without_genes(store: SpotStore, tmp_path: Path) -> None:
    path = exported(store, tmp_path)
    ad.read_h5ad(path)[:, :0].copy().write_h5ad(path)
    section = AnnData(AnnData.Options()).read(path, ImageInputs())
    assert section.counts.shape == (store.entry("S1").spots, 0)


def test_labels_of_another_tool_are_not_read(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obs["label"] = "leiden 3"
    section = AnnData(AnnData.Options()).read(write_anndata(adata, tmp_path / "S1.h5ad"), ImageInputs())
    assert list(section.counts.obs.columns) == ["x_px", "y_px", "array_x", "array_y", "x_um", "y_um"]
