"""Sections are called on any executor; a killed worker and a section that fails stop no other one."""

from multiprocessing import active_children
from pathlib import Path

import pandas as pd
import pytest
from small_shards import KillAt
from stand_ins.aneuploid_file import write_aneuploid

from spacrd_core.detection.detect import detect
from spacrd_core.errors import DetectorError
from spacrd_core.executors.parts import Part
from spacrd_core.executors.processes import Processes
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.results.write import write_results
from spacrd_core.store.failures import read_failures
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

NAMES = ("S1", "S2", "S3")


@pytest.fixture
def store(tmp_path: Path) -> SpotStore:
    """Three sections without images."""
    store = SpotStore.create(tmp_path / "store")
    for number, name in enumerate(NAMES):
        file = write_aneuploid(tmp_path / f"{name}.h5ad", {}, genes=250 + number)
        ingest(store, file, um_per_px=1, no_image=True)
    return store


def calls(store: SpotStore) -> list[str]:
    """The checksums of all calls, which are as the manifest has them."""
    assert verify(store) == []
    return [record.sha256 for entry in store.entries.values() for record in entry.predictions.values()]


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_section_called_again(store: SpotStore, tmp_path: Path) -> None:
    alone = detect(store, "prior")
    expected = calls(store)
    kill = KillAt(1)
    tables = detect(store, "prior", executor=Processes(2), track=kill)
    assert kill.killed
    assert list(tables) == list(NAMES)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, alone[name])
        assert table.attrs == alone[name].attrs
    assert calls(store) == expected
    assert active_children() == []
    files = write_results(store, "prior", tables, tmp_path / "two", executor=Processes(2))
    write_results(store, "prior", alone, tmp_path / "one")
    texts = [file.name for file in files if file.suffix in {".csv", ".geojson", ".png"}]
    assert len(texts) >= len(NAMES) * 2
    for name in texts:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.slow
def test_a_part_calls_its_sections_alone(store: SpotStore) -> None:
    assert [list(detect(store, "prior", part=Part(number, 2))) for number in (1, 2)] == [["S1", "S3"], ["S2"]]


@pytest.mark.slow
def test_a_section_that_cannot_be_called_is_noted_and_the_others_are_called(store: SpotStore, tmp_path: Path) -> None:
    bare = write_aneuploid(tmp_path / "S0.h5ad", {}, genes=1)
    ingest(store, bare, um_per_px=1, no_image=True)
    failed: dict[str, Exception] = {}
    tables = detect(store, "prior", on_error=lambda name, error: failed.update({name: error}))
    assert list(tables) == list(NAMES)
    assert {name: type(error) for name, error in failed.items()} == {"S0": DetectorError}
    assert [(failure.section, failure.step) for failure in read_failures(store)] == [("S0", "detect")]
