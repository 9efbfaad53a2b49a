"""Calls that are not kept in memory are the same tables, read from the store, and give the same files."""

import json
from pathlib import Path

import pandas as pd
import pytest
from stand_ins.aneuploid_file import write_aneuploid

from spacrd_core.detection.detect import detect
from spacrd_core.detection.stored_calls import StoredCalls
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.results.write import write_results
from spacrd_core.store.store import SpotStore

GENES = {"S1": 250, "S2": 251}


@pytest.fixture
def store(tmp_path: Path) -> SpotStore:
    """Two sections without images."""
    store = SpotStore.create(tmp_path / "store")
    for name, genes in GENES.items():
        ingest(store, write_aneuploid(tmp_path / f"{name}.h5ad", {}, genes=genes), um_per_px=1, no_image=True)
    return store


@pytest.mark.slow
def test_stored_calls_are_the_same_tables_and_give_the_same_files(store: SpotStore, tmp_path: Path) -> None:
    kept = detect(store, "prior")
    stored = detect(store, "prior", in_memory=False)
    assert isinstance(stored, StoredCalls)
    assert [*stored] == [*kept] == [*GENES]
    assert len(stored) == 2
    for name, table in stored.items():
        pd.testing.assert_frame_equal(table, kept[name])
        assert json.dumps(table.attrs) == json.dumps(kept[name].attrs)  # tuples have become lists
    assert stored["S1"] is not stored["S1"]
    detect(store, "prior", threshold=0.9)  # another command replaces the calls meanwhile
    pd.testing.assert_frame_equal(stored["S1"], kept["S1"])
    with pytest.raises(KeyError):
        stored["S3"]
    files = write_results(store, "prior", stored, tmp_path / "stored")
    write_results(store, "prior", kept, tmp_path / "kept")
    for file in files:
        if file.suffix in {".csv", ".geojson", ".png"}:
            assert file.read_bytes() == (tmp_path / "kept" / file.name).read_bytes()
