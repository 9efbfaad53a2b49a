"""A chunk that a copy has left out reads as zeros, or as names without letters: it is missed."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from bundles.anndata_file import tissue_object, write_anndata

from spacrd_core.errors import InputError
from spacrd_core.section.section import ImageInputs
from spacrd_readers.anndata.reader import AnnData

GENES_ONLY = ImageInputs(with_image=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_anndata(tissue_object(picture=False), tmp_path_factory.mktemp("whole") / "a.zarr")


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("array", ["X/data", "X/indices", "obs/_index", "var/_index"])
def test_counts_and_names_are_refused_without_one_of_their_chunks(whole: Path, tmp_path: Path, array: str) -> None:
    reader = AnnData(AnnData.Options())
    assert reader.read(whole, GENES_ONLY).counts.n_obs
    part = shutil.copytree(whole, tmp_path / "a.zarr")
    next(file for file in sorted((part / array / "c").rglob("*")) if file.is_file()).unlink()
    with pytest.raises(InputError, match=rf"a\.zarr cannot be read as AnnData: {array} has \d+ of its \d+ chunks"):
        reader.read(part, GENES_ONLY)


def test_a_column_of_bytes_that_mean_nothing_is_named(tmp_path: Path) -> None:
    path = write_anndata(tissue_object(picture=False), tmp_path / "a.h5ad")
    with h5py.File(path, "r+") as file:
        count, name = len(file["obs/_index"]), next(key for key in file["obs"] if key != "_index")
        del file[f"obs/{name}"]
        file[f"obs/{name}"] = np.zeros(count, dtype="V8")
        file[f"obs/{name}"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    with pytest.raises(InputError, match=rf"obs of .*a\.h5ad has columns that are neither numbers nor text: {name}"):
        AnnData(AnnData.Options()).read(path, GENES_ONLY)
