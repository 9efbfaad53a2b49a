"""Damaged matrices: each ends in one sentence that names the file, whatever is wrong inside."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bundles.visium import VisiumBundle

from spacrd_core.errors import CountsError, GeometryError
from spacrd_core.section.section import ImageInputs
from spacrd_readers.tenx.scalefactors import read_scalefactors
from spacrd_readers.visium.reader import Visium

TERA = 10**12
GENES_ONLY = ImageInputs(with_image=False)
Change = Callable[[Any], object]


def replaced(name: str, **facts: Any) -> Change:
    """Return the change that puts another array into the place of one."""

    def change(group: Any) -> None:
        del group[name]
        group.create_dataset(name, **facts)

    return change


def set_value(name: str, at: int, value: int) -> Change:
    return lambda group: group[name].__setitem__(at, value)


def link(group: Any) -> None:
    del group["barcodes"]
    group["barcodes"] = h5py.ExternalLink("other.h5", "/barcodes")


DAMAGE: dict[str, Change] = {
    "offsets that fall": set_value("indptr", 3, np.iinfo("i4").max),
    "offsets below zero": set_value("indptr", 0, -1),
    "offsets of another type": replaced("indptr", data=np.zeros(5, [("a", "i4"), ("b", "f8")])),
    "offsets in one number": replaced("indptr", data=1),
    "no counts": lambda group: group.__delitem__("data"),
    "counts of text": replaced("data", data=np.array([b"a"] * 9)),
    "counts in two columns": lambda group: replaced("data", data=np.ones((len(group["indices"]), 2)))(group),
    "counts that are a group": lambda group: (group.__delitem__("data"), group.create_group("data")),
    "a negative shape": lambda group: group["shape"].__setitem__(0, -1),
    "endless counts": replaced("data", shape=(TERA,), dtype="i4", chunks=(65536,)),
    "endless barcodes": replaced("barcodes", shape=(TERA,), dtype="S18", chunks=(65536,)),
    "endless features": replaced("features/feature_type", shape=(TERA,), dtype="S15", chunks=(65536,)),
    "barcodes that are no letters": replaced("barcodes", data=np.array([b"\xff\xfe"] * 42)),
    "barcodes in another file": link,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_hdf5_matrix_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    run = VisiumBundle(images=()).write(tmp_path / "run")
    file = run / "filtered_feature_bc_matrix.h5"
    with h5py.File(file, "r+") as opened:
        DAMAGE[kind](opened["matrix"])
    with pytest.raises(CountsError, match=r"filtered_feature_bc_matrix\.h5 is damaged: ") as caught:
        Visium(Visium.Options()).read(run, GENES_ONLY)
    assert caught.value.hint
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "content", [b"", b"%%MatrixMarket\n", b"%%MatrixMarket\n%\n1 2\n", b"%" * 10**6, b"1 1 1\n1 1 x\n", b"1\n"]
)
def test_a_matrix_in_text_without_counts_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    run = VisiumBundle(images=(), matrix="mex.gz").write(tmp_path / "run")
    (run / "filtered_feature_bc_matrix" / "matrix.mtx.gz").write_bytes(gzip.compress(content))
    with pytest.raises(CountsError, match=r"matrix\.mtx\.gz|beside it|and its matrix declares"):
        Visium(Visium.Options()).read(run, GENES_ONLY)


def test_every_byte_of_a_packed_matrix_may_be_wrong(tmp_path: Path) -> None:
    run = VisiumBundle(images=(), matrix="mex.gz").write(tmp_path / "run")
    file = run / "filtered_feature_bc_matrix" / "matrix.mtx.gz"
    whole = file.read_bytes()
    for at in range(12, len(whole), len(whole) // 12):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        with pytest.raises(CountsError, match=r"matrix\.mtx\.gz|beside it|and its matrix declares"):
            Visium(Visium.Options()).read(run, GENES_ONLY)


@pytest.mark.parametrize("text", ["[" * 10**5, '{"tissue_hires_scalef": ' + "9" * 400 + "}", '{"a":' * 10**5])
def test_scale_factors_beyond_measure_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "scalefactors_json.json"
    file.write_text(text)
    with pytest.raises(GeometryError, match="scalefactors_json"):
        read_scalefactors(file)


def test_positions_without_ends_of_lines_are_refused_at_once(tmp_path: Path) -> None:
    run = VisiumBundle(images=()).write(tmp_path / "run")
    file = run / "spatial" / "tissue_positions.csv"
    file.write_text(file.read_text().replace("\n", ",") * 300)
    with pytest.raises(GeometryError, match=r"has \d+ cells: are its line breaks missing\?"):
        Visium(Visium.Options()).read(run, GENES_ONLY)
