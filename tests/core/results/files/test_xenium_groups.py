"""Cell groups for Xenium Explorer: calls of spots transferred to the cells of a bundle."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.xenium import XeniumBundle

from spacrd_core.errors import InputError
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.plugins import Plugins
from spacrd_core.results.files.xenium_groups import (
    lacks_cell_table,
    missing_cells_note,
    write_cell_groups,
    xenium_unsupported,
)
from spacrd_core.results.result import LABEL_STYLES, SectionResult
from spacrd_core.store.garbage import collect_garbage
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

BUNDLE = XeniumBundle()
LABELS = ("cancer", "normal", "uncertain")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return BUNDLE.write(tmp_path / "bundle")


@pytest.fixture
def store(tmp_path: Path) -> SpotStore:
    return SpotStore.create(tmp_path / "store")


@pytest.fixture
def called(store: SpotStore, make_result: Callable[..., SectionResult]) -> Callable[[], SectionResult]:
    """The stored section X1 with the three calls in turn."""

    def call() -> SectionResult:
        adata = store.section("X1")
        labels = pd.Categorical(np.resize(LABELS, adata.n_obs), categories=LABELS)
        spots = pd.DataFrame({"probability": 0.5, "label": labels}, index=adata.obs_names)
        fields = {"adata": adata, "spots": spots, "spot_of_cell": store.spot_of_cell("X1")}
        return make_result(section_id="X1", platform=store.entry("X1").platform, **fields)

    return call


def ingest_bundle(store: SpotStore, bundle: Path, plugins: Plugins, **options: Any) -> None:
    ingest(store, bundle, name="X1", plugins=plugins, **options)


def remove_cells(store: SpotStore) -> None:
    """Remove the cell table from the store, as if the section came from an h5ad."""
    entry = store.entry("X1")
    assert entry.cells is not None
    store.update(lambda manifest: manifest.with_entry(entry.model_copy(update={"cells": None})))
    shutil.rmtree(store.path / entry.cells.path)


def expected_groups(result: SectionResult, bundle: XeniumBundle) -> dict[str, str]:
    """Return the expected group of every cell from its position in the bundle, in squares of 100 um."""
    groups = {}
    for name, (x, y) in zip(bundle.names, bundle.centroids // 100, strict=True):
        square = f"x{int(x):05d}_y{int(y):05d}"
        if square in result.spots.index:
            groups[name] = LABEL_STYLES[result.spots.loc[square, "label"]].name
    return groups


@pytest.mark.ci_cases(2)
@pytest.mark.parametrize("variant", [{}, {"shuffled": True, "matrix": "zarr.zip"}, {"ids": "int"}, {"ids": "bytes"}])
def test_every_cell_of_the_bundle_gets_the_call_of_its_spot(
    variant: dict[str, Any],
    store: SpotStore,
    called: Callable[[], SectionResult],
    plugins: Plugins,
    tmp_path: Path,
) -> None:
    bundle = replace(BUNDLE, **variant)
    ingest_bundle(store, bundle.write(tmp_path / "bundle"), plugins)
    result = called()
    assert not xenium_unsupported(result)
    write_cell_groups(result, tmp_path / "X1.cell_groups.csv")
    assert (tmp_path / "X1.cell_groups.csv").read_text().startswith("cell_id,group,color\n")
    table = pd.read_csv(tmp_path / "X1.cell_groups.csv", dtype=str)
    assert dict(zip(table["cell_id"], table["group"], strict=True)) == expected_groups(result, bundle)
    assert len(table) == len(bundle.names)
    colours = {"Cancer": "#c80000", "Normal": "#4682b4", "Uncertain": "#e6a000"}
    assert table["color"].tolist() == table["group"].map(colours).tolist()
    assert set(table["group"]) == set(colours)


def test_cells_in_no_called_spot_are_left_out(
    store: SpotStore, called: Callable[[], SectionResult], bundle: Path, plugins: Plugins, tmp_path: Path
) -> None:
    ingest_bundle(store, bundle, plugins)
    result = called()
    subset = replace(result, spots=result.spots[5:])
    write_cell_groups(subset, tmp_path / "X1.csv")
    table = pd.read_csv(tmp_path / "X1.csv")
    assert dict(zip(table["cell_id"], table["group"], strict=True)) == expected_groups(subset, BUNDLE)
    assert len(table) == len(BUNDLE.names) - result.adata.obs["n_cells"].iloc[:5].sum()


def test_cells_that_are_spots_get_their_call(
    store: SpotStore, called: Callable[[], SectionResult], bundle: Path, plugins: Plugins, tmp_path: Path
) -> None:
    ingest_bundle(store, bundle, plugins, reader_options={"unit": "cell"})
    assert store.entry("X1").cells is None
    assert not lacks_cell_table(store, "X1")
    result = called()
    write_cell_groups(result, tmp_path / "X1.csv")
    table = pd.read_csv(tmp_path / "X1.csv", index_col="cell_id")
    assert sorted(table.index) == sorted(BUNDLE.names)
    assert table["group"].str.lower().tolist() == result.spots.loc[table.index, "label"].tolist()


@pytest.mark.slow
def test_without_a_cell_table_the_bundle_must_be_ingested_again(
    store: SpotStore, called: Callable[[], SectionResult], bundle: Path, plugins: Plugins, tmp_path: Path
) -> None:
    ingest_bundle(store, bundle, plugins)
    assert not lacks_cell_table(store, "X1")
    remove_cells(store)
    assert lacks_cell_table(store, "X1")
    assert xenium_unsupported(called())
    with pytest.raises(InputError) as caught:
        write_cell_groups(called(), tmp_path / "X1.csv")
    assert "does not list the cells of each spot of section 'X1'" in str(caught.value)
    assert "--name X1 --replace" in str(caught.value.hint)
    assert caught.value.hint in missing_cells_note("X1")
    assert not (tmp_path / "X1.csv").exists()
    ingest_bundle(store, bundle, plugins, replace=True)
    assert not xenium_unsupported(called())


def test_sections_of_other_platforms_have_no_cell_groups(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    assert xenium_unsupported(make_result())
    with pytest.raises(InputError) as caught:
        write_cell_groups(make_result(), tmp_path / "S1.csv")
    assert "'S1' has platform 'visium'" in str(caught.value)
    assert caught.value.hint


def test_the_store_verifies_the_checksum_of_its_cells_and_removes_unlisted_ones(
    store: SpotStore, bundle: Path, plugins: Plugins
) -> None:
    ingest_bundle(store, bundle, plugins)
    assert verify(store) == []
    record = store.entry("X1").cells
    assert record is not None
    assert collect_garbage(store, grace_seconds=0) == []
    entry = store.entry("X1").model_copy(update={"cells": None})
    store.update(lambda manifest: manifest.with_entry(entry))
    assert collect_garbage(store, grace_seconds=0) == [store.path / record.path]
    ingest_bundle(store, bundle, plugins, replace=True)
    next((store.path / record.path).rglob("zarr.json")).write_text("{}")
    (problem,) = verify(store)
    assert record.path in problem
