"""A section read from AnnData is the same for every file format."""

from pathlib import Path
from typing import Any, Literal

import anndata as ad
import numpy as np
import pytest
import zarr
from bundles.anndata_file import TISSUE, VISIUM, age, tissue_object, write_anndata

from spacrd_core.errors import GeometryError, InputError, MissingFile, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Reader, Section
from spacrd_core.testing import ReaderContract
from spacrd_readers.anndata.reader import AnnData


class TestAnnData(ReaderContract):
    @pytest.fixture
    def reader(self) -> Reader:
        return AnnData(AnnData.Options())  # type: ignore[return-value]

    @pytest.fixture
    def example(self, tmp_path: Path) -> Path:
        return write_anndata(tissue_object(), tmp_path / "S1.h5ad")


def read(path: Path, **inputs: Any) -> Section:
    return AnnData(AnnData.Options()).read(path, ImageInputs(**inputs))


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize(
    ("name", "zarr_format"), [("S1.h5ad", 3), ("S1.zarr", 2), ("S1.zarr", 3), ("S1.zarr.zip", 3), ("S1.data", 3)]
)
def test_a_section_is_the_same_whatever_file_holds_it(tmp_path: Path, name: str, zarr_format: Literal[2, 3]) -> None:
    adata = tissue_object()
    path = write_anndata(adata, tmp_path / name, zarr_format=zarr_format)
    assert AnnData(AnnData.Options()).recognises(path)
    section = read(path)
    obs = section.counts.obs
    assert list(section.counts.obs_names) == list(adata.obs_names)
    assert (section.counts.X != adata.X).nnz == 0
    assert section.counts.X.dtype == np.int32
    np.testing.assert_allclose(obs[["x_px", "y_px"]], adata.obsm["spatial"])
    np.testing.assert_allclose(obs[["x_um", "y_um"]], adata.obsm["spatial"] * section.um_per_px)
    np.testing.assert_array_equal(obs[["array_x", "array_y"]], adata.obs[["array_col", "array_row"]])
    assert (section.platform, section.spot_um, section.spot_shape, section.pitch_um) == ("anndata", 55, "disc", 100)
    assert section.um_per_px == pytest.approx(1.0)
    assert [source.role for source in section.sources] == ["counts", "image"]


def test_spots_out_of_tissue_or_without_a_position_are_left_out_and_named(tmp_path: Path) -> None:
    adata = tissue_object()
    names = list(adata.obs_names)
    adata.obs.loc[names[:7], "in_tissue"] = 0
    adata.obsm["spatial"][9, 1] = np.nan
    adata.obsm["spatial"][11, 0] = 1e200
    section = read(write_anndata(adata, tmp_path / "S1.h5ad"))
    assert list(section.counts.obs_names) == [*names[7:9], names[10], *names[12:]]
    assert section.notes[:2] == (
        f"spots out of tissue, left out: 7 ({', '.join(names[:5])}, ...)",
        f"spots without a position, left out: 2 ({names[9]}, {names[11]})",
    )
    assert list(section.counts.uns["counts_order"]) == names
    assert (section.counts.X != adata[section.counts.obs_names].X).nnz == 0


@pytest.mark.parametrize("kind", [bool, str, "category", float])
def test_in_tissue_is_read_from_any_data_type(tmp_path: Path, kind: Any) -> None:
    adata = tissue_object(picture=False)
    adata.obs["in_tissue"] = (np.arange(adata.n_obs) % 3 > 0).astype(int if kind in {str, "category"} else kind)
    adata.obs["in_tissue"] = adata.obs["in_tissue"].astype(kind)
    expected = adata.obs_names[np.arange(adata.n_obs) % 3 > 0]
    assert list(read(write_anndata(adata, tmp_path / "S1.h5ad")).counts.obs_names) == list(expected)


def test_positions_under_their_older_name_are_read(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obsm["X_spatial"] = adata.obsm.pop("spatial")
    assert len(read(write_anndata(adata, tmp_path / "S1.h5ad")).counts) == adata.n_obs


def test_an_object_that_grew_behind_its_consolidated_metadata_is_read_as_it_is_now(tmp_path: Path) -> None:
    adata = tissue_object(picture=False)
    path = write_anndata(adata[:500].copy(), tmp_path / "S1.zarr")
    group = zarr.open_group(path, mode="r+", use_consolidated=False)
    with ad.settings.override(auto_shard_zarr_v3=False):
        for name, value in {"X": adata.X, "obs": adata.obs, "obsm": dict(adata.obsm)}.items():
            ad.io.write_elem(group, name, value)
    consolidated = zarr.open_group(path, mode="r")["obsm/spatial"]
    assert isinstance(consolidated, zarr.Array)
    assert consolidated.shape[0] == 500  # what path readers still see
    assert len(read(path).counts) == adata.n_obs


def test_a_file_as_anndata_0_7_wrote_it_is_read_alike(tmp_path: Path) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.h5ad")
    now, then = read(path), read(age(path))
    assert now.counts.obs.equals(then.counts.obs)
    assert now.counts.var.equals(then.counts.var)
    assert (now.counts.X != then.counts.X).nnz == 0
    assert now.slide
    assert then.slide
    np.testing.assert_array_equal(now.slide.pixels, then.slide.pixels)


def test_spots_of_one_name_are_refused_by_name(tmp_path: Path) -> None:
    adata = tissue_object()
    names = adata.obs_names.to_numpy().copy()
    names[4] = names[3]
    adata.obs_names = names
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert f"{path} has spot {names[3]} more than once" in str(caught.value)
    assert "--set reader.library=NAME" in caught.value.hint


def test_positions_that_are_not_pairs_are_refused(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obsm["spatial"] = np.hstack([adata.obsm["spatial"], np.zeros((adata.n_obs, 1))])
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    with pytest.raises(GeometryError) as caught:
        read(path)
    assert f"obsm['spatial'] of {path} has shape {adata.n_obs} x 3, expected {adata.n_obs} x 2" in str(caught.value)


def test_a_section_without_usable_spots_is_refused_with_the_reason(tmp_path: Path) -> None:
    adata = tissue_object()
    adata.obs["in_tissue"] = 0
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    with pytest.raises(GeometryError) as caught:
        read(path)
    assert f"{path} has no spot in tissue with a position" in str(caught.value)
    assert f"of {adata.n_obs} spots, {adata.n_obs} are out of tissue and 0 have no position" in str(caught.value)


def test_alignments_and_absent_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="take no alignment"):
        read(write_anndata(tissue_object(), tmp_path / "S1.h5ad"), alignment=tmp_path / "matrix.csv")
    with pytest.raises(MissingFile, match=r"none\.h5ad does not exist"):
        read(tmp_path / "none.h5ad")


def test_the_counts_of_the_example_are_those_of_the_tissue(tmp_path: Path) -> None:
    _, um = VISIUM.places(TISSUE)
    section = read(write_anndata(tissue_object(), tmp_path / "S1.h5ad"))
    np.testing.assert_array_equal(section.counts.X.toarray(), TISSUE.counts(um, mean=6.0))
    with pytest.raises(InputError):
        read(tmp_path)
