"""Real sections of several tissues, read once."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.store.store import SpotStore

HEARTS = ("CN73_C2", "CN73_E1", "CN74_C1", "CN74_E1")
SIX = ("A1", "B1", "C1", "D1", "E1", "G2")


@pytest.fixture(scope="session")
def breasts(her2st: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> list[SectionData]:
    """Six sections of six breast carcinomas, with the labels of the paper."""
    store = SpotStore.create(tmp_path_factory.mktemp("breasts") / "store")
    for name in SIX:
        labels = her2st / "labels_paper" / f"{name}.txt"
        ingest(store, her2st / "ST-cnts" / f"{name}.tsv.gz", name=name, labels=labels, no_image=True, plugins=plugins)
    return loaded(store)


@pytest.fixture(scope="session")
def hearts(other: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> list[SectionData]:
    """Four sections of a fetal heart: proliferating, without tumour and without epithelium."""
    store = SpotStore.create(tmp_path_factory.mktemp("hearts") / "store")
    ingest_all(store, [other / "heart_fetal_normal" / "ST-cnts" / f"{name}.tsv.gz" for name in HEARTS], plugins)
    return loaded(store)


@pytest.fixture(scope="session")
def colon(other: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> SectionData:
    """A colorectal carcinoma."""
    store = SpotStore.create(tmp_path_factory.mktemp("colon") / "store")
    ingest_all(store, [other / "crc16_visium" / "outs"], plugins)
    return loaded(store)[0]


def ingest_all(store: SpotStore, paths: Sequence[Path], plugins: Plugins) -> None:
    for path in paths:
        ingest(store, path, no_image=True, plugins=plugins)


def loaded(store: SpotStore) -> list[SectionData]:
    return load_sections(store, list(store.entries.values()))
