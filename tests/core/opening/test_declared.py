"""What an HDF5 file or a zarr group declares is held against what it stores."""

from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr
from stand_ins.pickled import write_pickled_array

from spacrd_core.opening.declared import MAX_NAMES_EXPANSION, require_plausible

TERA = 10**12


def test_an_array_that_declares_far_more_than_it_stores_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("matrix").create_dataset("barcodes", shape=(TERA,), dtype="S15", chunks=(65536,))
        with pytest.raises(ValueError, match="matrix/barcodes declares 15 TB, and the file holds 0 bytes of it"):
            require_plausible(file)
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("x", shape=(TERA,), chunks=(65536,), dtype="i8")
    with pytest.raises(ValueError, match="x declares 8 TB"):
        require_plausible(group)


def test_a_chunk_larger_than_its_array_counts(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("x", shape=(10,), chunks=(TERA,), dtype="i1")
    with pytest.raises(ValueError, match="x declares 1 TB"):
        require_plausible(group)


def test_real_arrays_pass_and_so_does_a_small_one_of_zeros(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("zeros", data=np.zeros(2**24, dtype=np.int64), compression="gzip", chunks=(2**20,))
        file["empty"], file["scalar"] = h5py.Empty("f8"), 1
        file["text"] = ["a", "b"]
        require_plausible(file, expansion=MAX_NAMES_EXPANSION)


def test_names_may_not_expand_as_far_as_counts(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        zeros = file.create_dataset("zeros", shape=(2**29,), dtype="i1", chunks=(2**24,), compression="gzip")
        zeros[:] = np.zeros(2**29, dtype="i1")
        require_plausible(file)
        with pytest.raises(ValueError, match="zeros declares 537 MB"):
            require_plausible(file, expansion=MAX_NAMES_EXPANSION)


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = h5py.ExternalLink("b.h5", "/x")
        with pytest.raises(ValueError, match="x is a link to another file"):
            require_plausible(file)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_virtual_dataset("v", h5py.VirtualLayout((3,), dtype="i4"))
        with pytest.raises(ValueError, match="v has its values in another file"):
            require_plausible(file)


def test_an_array_that_unpickles_what_it_reads_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    write_pickled_array(tmp_path / "a.zarr" / "x", tmp_path / "it ran")
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    with pytest.raises(ValueError, match="x holds pickled values"):
        require_plausible(group)
    assert not (tmp_path / "it ran").exists()
    with suppress(Exception):  # zarr's, after the values were unpickled
        np.asarray(group["x"])
    assert (tmp_path / "it ran").exists(), "the array must be one that zarr reads"
