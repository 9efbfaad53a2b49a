"""Small sections in memory, half cancer, with the signal in genes and in the image; real sections, read once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from conftest import made_once
from scipy import sparse

from spacrd_core.cards import Recipe
from spacrd_core.cohort.section_data import SectionData, load_sections
from spacrd_core.genes.expression import Expression
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.store.store import SpotStore

SIDE, GENES, DIM = 9, 30, 6
HEARTS = ("CN73_C2", "CN73_E1", "CN74_C1", "CN74_E1")
SIX = ("A1", "B1", "C1", "D1", "E1", "G2")


class MakeData(Protocol):
    def __call__(self, patient: str, seed: int, *, image: bool = True) -> SectionData: ...


@pytest.fixture
def make_data() -> MakeData:
    def make(patient: str, seed: int, *, image: bool = True) -> SectionData:
        rng = np.random.default_rng(seed)
        rows, columns = (axis.ravel() for axis in np.mgrid[:SIDE, :SIDE])
        labels = (columns < SIDE // 2 + rng.integers(0, 2)).astype(np.int64)
        rates = np.full((SIDE**2, GENES), 4.0)
        rates[np.ix_(labels == 1, range(4))] = 9.0
        values = rng.normal(0, 1, (SIDE**2, DIM)).astype(np.float32)
        values[:, 0] += 2.0 * labels
        return SectionData(
            id=f"{patient}{seed}",
            patient=patient,
            platform="st",
            identity=f"made-of-{seed}",
            label_source="made",
            pitch_um=200.0,
            spot_ids=tuple(f"{x}x{y}" for x, y in zip(columns, rows, strict=True)),
            xy_um=np.column_stack([columns, rows]) * 200.0,
            labels=labels,
            expression=Expression.from_counts(
                sparse.csr_matrix(rng.poisson(rates)), [f"G{number}" for number in range(GENES)]
            ),
            image=values if image else None,
            image_coverage=np.ones(SIDE**2, dtype=np.float32) if image else None,
            recipe=Recipe(input_px=8, um_per_px=14.0, dim=DIM) if image else None,
        )

    return make


@pytest.fixture(scope="session")
def breasts(her2st: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> list[SectionData]:
    """Six sections of six breast carcinomas, with the labels of the paper."""

    def make(folder: Path) -> None:
        store = SpotStore.create(folder / "store")
        for name in SIX:
            labels, counts = her2st / "labels_paper" / f"{name}.txt", her2st / "ST-cnts" / f"{name}.tsv.gz"
            ingest(store, counts, name=name, labels=labels, no_image=True, plugins=plugins)

    return loaded(SpotStore.open(made_once(tmp_path_factory, "breasts", make) / "store"))


@pytest.fixture(scope="session")
def hearts(other: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> list[SectionData]:
    """Four sections of a fetal heart: proliferating, without tumour and without epithelium."""
    counts = [other / "heart_fetal_normal" / "ST-cnts" / f"{name}.tsv.gz" for name in HEARTS]

    def make(folder: Path) -> None:
        ingest_all(SpotStore.create(folder / "store"), counts, plugins)

    return loaded(SpotStore.open(made_once(tmp_path_factory, "hearts", make) / "store"))


@pytest.fixture(scope="session")
def melanoma(other: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> SectionData:
    """A melanoma: a tumour without epithelium."""
    store = SpotStore.create(tmp_path_factory.mktemp("melanoma") / "store")
    ingest_all(store, sorted((other / "melanoma_rep1" / "ST-cnts").glob("*.tsv.gz")), plugins)
    return loaded(store)[0]


@pytest.fixture(scope="session")
def layers(other: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> list[SectionData]:
    """Four neighbouring sections of one breast carcinoma, of another laboratory."""
    store = SpotStore.create(tmp_path_factory.mktemp("layers") / "store")
    ingest_all(store, sorted((other / "breast_stahl2016" / "ST-cnts").glob("*.tsv.gz")), plugins)
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
