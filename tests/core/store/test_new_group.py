"""A new group is what zarr itself writes, and no group at all before it is complete."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import zarr
from scipy.sparse import csr_matrix

from spacrd_core.store.new_group import new_group

pytestmark = pytest.mark.filterwarnings("ignore:.*(Zarr V3 specification|onsolidated metadata|autosharding)")


def adata() -> ad.AnnData:
    counts = csr_matrix(np.arange(12, dtype=np.float32).reshape(4, 3) % 5)
    spots = pd.DataFrame({"label": pd.Categorical(["a", "b", "a", "b"]), "x": np.arange(4.0)}, index=list("pqrs"))
    return ad.AnnData(counts, obs=spots, uns={"facts": {"name": "B4", "none": "", "parts": np.array(["u", "v"])}})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_its_files_are_those_of_zarr(tmp_path: Path) -> None:
    with new_group(tmp_path / "new") as group:
        ad.io.write_elem(group, "/", adata())
        group.attrs["more"] = [1, 2]
    usual = zarr.open_group(tmp_path / "usual", mode="w", zarr_format=3)
    ad.io.write_elem(usual, "/", adata())
    usual.attrs["more"] = [1, 2]
    zarr.consolidate_metadata(usual.store)
    assert contents(tmp_path / "new") == contents(tmp_path / "usual")


def test_it_is_no_group_before_it_is_complete(tmp_path: Path) -> None:
    with new_group(tmp_path) as group:
        group.create_array("values", data=np.arange(5))
        assert contents(tmp_path)
        with pytest.raises(FileNotFoundError):
            zarr.open_group(tmp_path, mode="r")
    assert zarr.open_group(tmp_path, mode="r")["values"].shape == (5,)
