"""Sections are ingested on any executor; a killed worker and a section that fails stop no other one."""

from multiprocessing import active_children
from pathlib import Path

import pytest
from small_shards import KillAt
from stand_ins.aneuploid_file import write_aneuploid

from spacrd_core.errors import MissingFile
from spacrd_core.executors.processes import Processes
from spacrd_core.ingestion.ingest_all import ingest_all
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.plugins import Plugins
from spacrd_core.store.failures import read_failures
from spacrd_core.store.folder import MANIFEST_FILE
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

NAMES = ("S3", "S1", "S2", "S4")


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> list[IngestOptions]:
    """Small sections without images, not in the order of their names."""
    folder = tmp_path_factory.mktemp("sections")
    files = [write_aneuploid(folder / f"{name}.h5ad", {}, genes=100 + number) for number, name in enumerate(NAMES)]
    return [IngestOptions(path=file, um_per_px=1, no_image=True) for file in files]


def manifest(store: SpotStore) -> str:
    """The manifest, with the checksums of all groups, which are as it has them."""
    assert verify(store) == []
    return (store.path / MANIFEST_FILE).read_text()


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_section_ingested_again(
    sections: list[IngestOptions], plugins: Plugins, tmp_path: Path
) -> None:
    alone, store = SpotStore.create(tmp_path / "alone"), SpotStore.create(tmp_path / "store")
    ingest_all(alone, sections, plugins)
    kill = KillAt(1)
    ingested, errors = ingest_all(store, sections, plugins, executor=Processes(2), track=kill)
    assert kill.killed
    assert (errors, [item.entry.id for item in ingested]) == ([], list(NAMES))
    assert manifest(store) == manifest(alone)
    assert active_children() == []


def test_what_failed_is_noted_in_the_store_until_the_same_command_succeeds(
    sections: list[IngestOptions], plugins: Plugins, tmp_path: Path
) -> None:
    store, late = SpotStore.create(tmp_path / "store"), tmp_path / "S9.h5ad"
    chosen = [IngestOptions(path=late, um_per_px=1, no_image=True), sections[0]]
    ingested, errors = ingest_all(store, chosen, plugins)
    assert ([item.status for item in ingested], [type(error) for error in errors]) == (["added"], [MissingFile])
    assert [(failure.section, failure.step) for failure in read_failures(store)] == [("S9", "ingest")]
    write_aneuploid(late, {}, genes=90)
    ingested, errors = ingest_all(store, chosen, plugins)
    assert ([item.status for item in ingested], errors) == (["added", "unchanged"], [])
    assert read_failures(store) == []
