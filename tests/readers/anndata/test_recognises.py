"""Recognising sections in AnnData, refusing other HDF5 and zarr files, and damaged or hostile files."""

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from bundles.anndata_file import tissue_object, write_anndata
from numcodecs import Pickle  # type: ignore[import-untyped]

from spacrd_core.errors import InputError, UnrecognisedSection
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs
from spacrd_readers.anndata.reader import AnnData

READER = AnnData(AnnData.Options())
COPY_AGAIN = "copy or download it again"


def tenx(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("matrix/features")


def of_groups(*names: str, **attributes: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        group = zarr.open_group(path, mode="w", zarr_format=2)
        for name in names:
            group.create_group(name)
        group.attrs.update(attributes)

    return write


def without_positions(path: Path) -> None:
    adata = tissue_object(picture=False)
    adata.obsm["X_umap"] = adata.obsm.pop("spatial")
    write_anndata(adata, path)


def text(path: Path) -> None:
    path.write_text("gene\tspot\n")


def a_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("notes.txt", "nothing")


@pytest.mark.parametrize(
    ("name", "write", "reason"),
    [
        ("filtered.h5", tenx, "it is a 10x matrix, not AnnData"),
        (
            "S1.zarr",
            of_groups("tables/table", "images", spatialdata_attrs={"version": "0.2"}),
            "it is a SpatialData object: --reader spatialdata reads it",
        ),
        ("S1.zarr", of_groups("0", multiscales=[{}]), "it is an OME-Zarr image, not AnnData"),
        ("S1.zarr", of_groups("0", ome={"version": "0.5"}), "it is an OME-Zarr image, not AnnData"),
        (
            "cell_feature_matrix.zarr",
            of_groups("cell_features"),
            "it is part of a Xenium bundle, not AnnData",
        ),
        ("S1.zarr", of_groups("a", "b"), "it has no obs and var (it holds a, b)"),
        ("S1.zarr", of_groups(), "it has no obs and var (it holds nothing)"),
        (
            "S1.h5ad",
            without_positions,
            "expected obsm['spatial'], found obsm['X_umap']",
        ),
        ("S1.zarr", lambda path: path.mkdir(), "the folder {} is not a zarr group"),
        ("S1.h5ad", text, "{} is neither HDF5 (.h5ad) nor zarr"),
        ("S1.zarr.zip", a_zip, "{} is a zip without a zarr group"),
        ("S1.h5ad", lambda _: None, "the AnnData file {} does not exist"),
    ],
)
def test_files_of_other_kinds_are_refused_with_their_kind(
    tmp_path: Path, name: str, write: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / name
    write(path)
    assert reason.format(path) in READER.recognises(path).reason
    with pytest.raises(InputError) as caught:
        READER.read(path, ImageInputs())
    assert str(caught.value).endswith(READER.recognises(path).reason)
    if isinstance(caught.value, UnrecognisedSection):
        assert f"{path} is not a section in AnnData" in str(caught.value)
        assert "--reader" in caught.value.hint


def test_a_zip_of_the_group_itself_is_read_as_one_of_its_folder_is(tmp_path: Path) -> None:
    folder = write_anndata(tissue_object(picture=False), tmp_path / "S1.zarr")
    shutil.make_archive(str(tmp_path / "S1.zarr"), "zip", folder)
    assert READER.recognises(tmp_path / "S1.zarr.zip")
    assert READER.read(tmp_path / "S1.zarr.zip", ImageInputs()).counts.n_obs == tissue_object().n_obs


def test_recognising_reads_no_matrix(tmp_path: Path) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.zarr")
    for name in ("X", "obs", "var"):
        shutil.rmtree(path / name)
        zarr.open_group(path / name, mode="w", zarr_format=3)
    assert READER.recognises(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_named_with_the_remedy(tmp_path: Path, share: float) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.h5ad")
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"S1\.h5ad cannot be read as AnnData: .*truncated") as caught:
        READER.read(path, ImageInputs())
    assert COPY_AGAIN in caught.value.hint


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize(
    "place", ["X/data", "obs/_index", "var/gene_ids", "obsm/spatial", "uns/spatial/V1/images/hires"]
)
def test_a_damaged_chunk_is_named_with_the_remedy(tmp_path: Path, place: str) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.zarr")
    chunk = next(file for file in sorted((path / place).rglob("*")) if file.is_file() and file.name != "zarr.json")
    chunk.write_bytes(b"no zstd frame at all")
    with pytest.raises(InputError, match=r"S1\.zarr cannot be read as AnnData: ") as caught:
        READER.read(path, ImageInputs())
    assert COPY_AGAIN in caught.value.hint


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("place", ["zarr.json", "obs/zarr.json", "X/indices/zarr.json"])
def test_damaged_metadata_is_named_with_the_remedy(tmp_path: Path, place: str) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.zarr")
    (path / place).write_text("{")
    with pytest.raises(InputError, match=r"S1\.zarr cannot be read as AnnData: ") as caught:
        READER.read(path, ImageInputs())
    assert COPY_AGAIN in caught.value.hint


def test_what_a_later_anndata_wrote_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.h5ad")
    with h5py.File(path, "r+") as file:
        file["var"].attrs["encoding-version"] = "9.0.0"
    with pytest.raises(InputError, match=r"S1\.h5ad cannot be read as AnnData: No read method .*9\.0\.0") as caught:
        READER.read(path, ImageInputs())
    assert COPY_AGAIN in caught.value.hint


def test_a_file_older_than_anndata_0_7_is_named_with_the_versions_that_read_it(tmp_path: Path) -> None:
    path = tmp_path / "S1.h5ad"
    with h5py.File(path, "w") as file:
        file["obs"] = np.array([(b"a", 1)], dtype=[("index", "S1"), ("in_tissue", int)])
        file["var"] = np.array([(b"g",)], dtype=[("index", "S1")])
        file["obsm"] = np.array([([1.0, 2.0],)], dtype=[("X_spatial", float, 2)])
        file["X"] = np.ones((1, 1))
    assert "written by anndata before 0.7: read it and write it again with anndata 0.7 to 0.11" in (
        READER.recognises(path).reason
    )


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.h5ad")
    with h5py.File(path, "r+") as file:
        del file["var"]
        file.create_group("var").attrs.update({"encoding-type": "dict", "encoding-version": "0.1.0"})
    with pytest.raises(InputError) as caught:
        READER.read(path, ImageInputs())
    assert f"var of {path} is not a table written by anndata 0.7 or later" in str(caught.value)
    assert COPY_AGAIN in caught.value.hint


def spatialdata_table(path: Path, *, positions: bool) -> Path:
    adata = tissue_object(picture=False)
    adata.uns = {"spatialdata_attrs": {"region": "spots", "region_key": "region", "instance_key": "spot_id"}}
    adata.obs["region"] = "spots"
    adata.obs["spot_id"] = range(adata.n_obs)
    if not positions:
        del adata.obsm["spatial"]
    path.parent.mkdir(parents=True)
    return write_anndata(adata, path.with_suffix(".zarr")).rename(path)


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("name", ["table", "square_008um", "square_016um", "segmented_outputs"])
def test_a_table_of_spatialdata_is_anndata_whatever_its_name(tmp_path: Path, plugins: Plugins, name: str) -> None:
    path = spatialdata_table(tmp_path / "run.zarr/tables" / name, positions=True)
    assert recognise(path, plugins) == "anndata"
    assert READER.read(path, ImageInputs()).counts.n_obs == tissue_object().n_obs


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("name", ["table", "square_016um"])
def test_a_table_of_spatialdata_without_positions_is_refused_with_the_object(
    tmp_path: Path, plugins: Plugins, name: str
) -> None:
    path = spatialdata_table(tmp_path / "run.zarr/tables" / name, positions=False)
    assert f"give the object {tmp_path / 'run.zarr'}, which the reader spatialdata reads" in (
        READER.recognises(path).reason
    )
    with pytest.raises(ExceptionGroup, match="no reader recognises"):
        recognise(path, plugins)
    with pytest.raises(ExceptionGroup, match="no reader recognises"):
        recognise(path.parent, plugins)


class Trap:
    """An object that creates a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self.mark).touch, (self.mark,))


def test_pickled_values_are_refused_and_run_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    path = write_anndata(tissue_object(), tmp_path / "S1.zarr", zarr_format=2)
    index = next(folder for name in ("obs/_index", "obs/_index/values") if (folder := path / name / ".zarray").exists())
    index.write_text(json.dumps(json.loads(index.read_text()) | {"compressor": Pickle().get_config()}))
    mark = tmp_path / "it ran"
    (index.parent / "0").write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(InputError) as caught:
        READER.read(path, ImageInputs())
    assert f"{path} holds pickled values (obs/_index" in str(caught.value)
    assert not mark.exists()


def test_the_reader_comes_by_its_card(plugins: Plugins, tmp_path: Path) -> None:
    path = write_anndata(tissue_object(), tmp_path / "S1.h5ad")
    others = [card.name for card in plugins.readers if card.name != "anndata"]
    assert isinstance(plugins.readers.create("anndata"), AnnData)
    assert not any(plugins.readers.create(name).recognises(path) for name in others)
