"""A new group is what zarr itself writes, and no group at all before it is complete."""

import shutil
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import zarr
from scipy.sparse import csr_matrix

from spacrd_core.store.new_group import new_group

pytestmark = pytest.mark.filterwarnings("ignore:.*(Zarr V3 specification|onsolidated metadata|autosharding)")

MANY_CHUNKS = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [2, 0, 0, 0], [0, 3, 0, 4], [5, 6, 7, 8]])  # one has only zeros


def adata() -> ad.AnnData:
    counts = csr_matrix(np.arange(12, dtype=np.float32).reshape(4, 3) % 5)
    spots = pd.DataFrame({"label": pd.Categorical(["a", "b", "a", "b"]), "x": np.arange(4.0)}, index=list("pqrs"))
    return ad.AnnData(counts, obs=spots, uns={"facts": {"name": "B4", "none": "", "parts": np.array(["u", "v"])}})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def values_in(folder: Path) -> list[int]:
    group: Any = zarr.open_group(folder, mode="r")
    return [int(value) for value in group["values"][:]]


def test_its_files_are_those_of_zarr(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with new_group(tmp_path / "new", consolidated=True) as group:
        ad.io.write_elem(group, "/", adata())
        group.create_array("chunks", data=MANY_CHUNKS, chunks=(2, 3))
        group.attrs["more"] = [1, 2]
    usual = zarr.open_group(tmp_path / "usual", mode="w", zarr_format=3)
    ad.io.write_elem(usual, "/", adata())
    usual.create_array("chunks", data=MANY_CHUNKS, chunks=(2, 3))
    usual.attrs["more"] = [1, 2]
    zarr.consolidate_metadata(usual.store)
    assert contents(tmp_path / "new") == contents(tmp_path / "usual")


def test_it_is_not_a_group_before_it_is_complete(tmp_path: Path) -> None:
    with new_group(tmp_path) as group:
        group.create_array("values", data=np.arange(5))
        assert contents(tmp_path)
        with pytest.raises(FileNotFoundError):
            zarr.open_group(tmp_path, mode="r")
    assert values_in(tmp_path) == [0, 1, 2, 3, 4]


def test_an_error_leaves_no_metadata(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no room"):
        fill(tmp_path, OSError("no room"))
    assert contents(tmp_path)
    assert not list(tmp_path.rglob("zarr.json"))


def fill(folder: Path, error: Exception) -> None:
    with new_group(folder) as group:
        group.create_array("values", data=np.arange(5))
        raise error


def test_a_folder_with_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "earlier").touch()
    with pytest.raises(FileExistsError, match="not empty"), new_group(tmp_path):
        pass


def test_a_chunk_is_neither_written_twice_nor_removed(tmp_path: Path) -> None:
    with new_group(tmp_path) as group:
        values = group.create_array("values", data=np.arange(1, 5), chunks=(4,))
        with pytest.raises(FileExistsError):
            values[:2] = 9
        with pytest.raises(FileExistsError):
            values[:] = 0
    assert values_in(tmp_path) == [1, 2, 3, 4]


def test_a_folder_that_vanishes_is_not_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    with pytest.raises(FileNotFoundError):
        vanish_while_writing(folder)
    assert not folder.exists()


def vanish_while_writing(folder: Path) -> None:
    with new_group(folder) as group:
        group.create_array("values", data=np.arange(5))
        shutil.rmtree(folder)
