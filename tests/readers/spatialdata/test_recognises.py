"""Recognising SpatialData objects, quickly and without the library, and refusing what is none."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import pytest
import zarr
from bundles.anndata_file import Measured, tissue_object, write_anndata
from bundles.spatialdata_object import visium, write
from bundles.tissue import Pose
from stand_ins.pickled import write_pickled_array

from spacrd_core.errors import ConfigError, InputError, UnrecognisedSection
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs
from spacrd_readers.spatialdata.library import open_object
from spacrd_readers.spatialdata.reader import SpatialData

READER = SpatialData(SpatialData.Options())
MEASURED = Measured(pose=Pose(um_per_px=4.0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "run.zarr", **visium(MEASURED))


def test_only_this_reader_recognises_an_object(path: Path, plugins: Plugins) -> None:
    assert recognise(path, plugins) == "spatialdata"


@pytest.mark.slow
def test_pictures_that_run_code_or_declare_far_more_than_they_store_are_refused(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    array = next(path.glob("images/S1_hires_image/*/zarr.json"))
    facts = json.loads(array.read_text())
    array.write_text(json.dumps(facts | {"shape": [3, 10**6, 10**6]}))
    with pytest.raises(InputError, match=r"S1_hires_image/\S+ declares 3 TB"):
        READER.read(path, ImageInputs())
    old = tmp_path / "old.zarr"
    write_pickled_array(old / "labels" / "cells", tmp_path / "it ran")
    for group in (old, old / "labels"):
        (group / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(InputError, match="holds pickled values"), open_object(old):
        pass
    assert not (tmp_path / "it ran").exists()


@pytest.mark.slow
def test_recognising_does_not_import_the_library(path: Path) -> None:
    code = (
        "import sys, pathlib; from spacrd_readers.spatialdata.reader import SpatialData\n"
        f"assert SpatialData(SpatialData.Options()).recognises(pathlib.Path({str(path)!r}))\n"
        "assert not {'spatialdata', 'geopandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_object_is_recognised_by_its_groups(tmp_path: Path, zarr_format: int) -> None:
    root = zarr.open_group(tmp_path / "run", mode="w", zarr_format=zarr_format)  # type: ignore[arg-type]
    root.create_group("shapes")
    root.create_group("tables/table")
    assert READER.recognises(tmp_path / "run")


def of_groups(*names: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        root = zarr.open_group(path, mode="w")
        root.attrs["spatialdata_attrs"] = {"version": "0.2"}
        for name in names:
            root.create_group(name)

    return make


def anndata(path: Path) -> None:
    write_anndata(tissue_object(picture=False), path)


def other_zarr(path: Path) -> None:
    zarr.open_group(path, mode="w").create_group("images")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (of_groups("images", "tables"), "a SpatialData object without a table, so it holds no counts"),
        (anndata, "it is a table or AnnData, not a SpatialData object"),
        (other_zarr, "it is a zarr group, but not a SpatialData object"),
        (lambda path: path.write_text("x"), "it is not a folder"),
        (lambda _: None, "it does not exist"),
        (lambda path: path.mkdir(), "is not a zarr group"),
    ],
)
def test_what_is_no_object_is_refused_with_the_reason(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "run.zarr"
    make(path)
    assert reason in READER.recognises(path).reason
    with pytest.raises(UnrecognisedSection, match="is not a section in SpatialData"):
        READER.read(path, ImageInputs())


@pytest.mark.slow
def test_a_damaged_object_is_an_input_error(path: Path) -> None:
    (path / "shapes" / "S1" / "shapes.parquet").write_bytes(b"not parquet")
    with pytest.raises(InputError, match="cannot be read as SpatialData"):
        READER.read(path, ImageInputs())


@pytest.mark.slow
def test_without_the_library_the_error_names_the_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spatialdata", None)
    with pytest.raises(ConfigError, match="needs the library spatialdata") as caught:
        READER.read(path, ImageInputs())
    assert caught.value.hint == "pip install 'spacrd[spatialdata]'"


@pytest.mark.slow
def test_its_tables_are_left_to_the_anndata_reader(path: Path, plugins: Plugins) -> None:
    table = path / "tables" / "table"
    adata = ad.read_zarr(table)
    adata.obsm["spatial"] = tissue_object(MEASURED, picture=False).obsm["spatial"]
    other = write_anndata(adata, path.parent / "table.zarr")
    assert recognise(other, plugins) == "anndata"
    assert not READER.recognises(table)
