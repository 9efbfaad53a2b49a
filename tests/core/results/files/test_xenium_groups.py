"""Calls of spots carried to the cells of a Xenium bundle, from its files to Xenium Explorer's."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from bundles.xenium import XeniumBundle

from spacrd_core.errors import InputError
from spacrd_core.ingestion.ingest import ingest
from spacrd_core.ingestion.options import IngestRequest
from spacrd_core.results.files.xenium_groups import cells_forgotten, no_cell_groups, no_explorer, write_cell_groups
from spacrd_core.results.result import CLASSES
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import collect_garbage, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spacrd_core.plugins import Plugins
    from spacrd_core.results.result import SectionResult

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
        known = {"adata": adata, "spots": spots, "spot_of_cell": store.spot_of_cell("X1")}
        return make_result(section_id="X1", platform=store.entry("X1").platform, **known)

    return call


def bring_in(store: SpotStore, bundle: Path, plugins: Plugins, **more: object) -> None:
    ingest(store, IngestRequest(path=bundle, name="X1", **more), plugins)


def forget_cells(store: SpotStore) -> None:
    """Make the store one that an older SpaCRD wrote."""
    entry = store.entry("X1")
    assert entry.cells is not None
    store.update(lambda manifest: manifest.with_entry(entry.model_copy(update={"cells": None})))
    shutil.rmtree(store.path / entry.cells.path)


def expected_groups(result: SectionResult, bundle: XeniumBundle) -> dict[str, str]:
    """Return the group of every cell by its place in the bundle's own table, in squares of 100 um."""
    groups = {}
    for name, (x, y) in zip(bundle.names, bundle.centroids // 100, strict=True):
        square = f"x{int(x):05d}_y{int(y):05d}"
        if square in result.spots.index:
            groups[name] = CLASSES[result.spots.loc[square, "label"]].name
    return groups


@pytest.mark.parametrize("variant", [{}, {"shuffled": True, "matrix": "zarr.zip"}, {"ids": "int"}, {"ids": "bytes"}])
def test_every_cell_of_the_bundle_gets_the_call_of_the_spot_it_lies_in(
    variant: dict[str, object],
    store: SpotStore,
    called: Callable[[], SectionResult],
    plugins: Plugins,
    tmp_path: Path,
) -> None:
    bundle = replace(BUNDLE, **variant)
    bring_in(store, bundle.write(tmp_path / "bundle"), plugins)
    result = called()
    assert not no_explorer(result)
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
    bring_in(store, bundle, plugins)
    result = called()
    some = replace(result, spots=result.spots[5:])
    write_cell_groups(some, tmp_path / "X1.csv")
    table = pd.read_csv(tmp_path / "X1.csv")
    assert dict(zip(table["cell_id"], table["group"], strict=True)) == expected_groups(some, BUNDLE)
    assert len(table) == len(BUNDLE.names) - result.adata.obs["n_cells"].iloc[:5].sum()


def test_cells_that_are_spots_get_their_own_call(
    store: SpotStore, called: Callable[[], SectionResult], bundle: Path, plugins: Plugins, tmp_path: Path
) -> None:
    bring_in(store, bundle, plugins, reader_options={"unit": "cell"})
    assert store.entry("X1").cells is None
    assert not cells_forgotten(store, "X1")
    result = called()
    write_cell_groups(result, tmp_path / "X1.csv")
    table = pd.read_csv(tmp_path / "X1.csv", index_col="cell_id")
    assert sorted(table.index) == sorted(BUNDLE.names)
    assert table["group"].str.lower().tolist() == result.spots.loc[table.index, "label"].tolist()


def test_a_store_of_an_older_spacrd_says_that_its_bundle_must_be_ingested_again(
    store: SpotStore, called: Callable[[], SectionResult], bundle: Path, plugins: Plugins, tmp_path: Path
) -> None:
    bring_in(store, bundle, plugins)
    assert not cells_forgotten(store, "X1")
    forget_cells(store)
    assert cells_forgotten(store, "X1")
    assert no_explorer(called())
    with pytest.raises(InputError) as caught:
        write_cell_groups(called(), tmp_path / "X1.csv")
    assert str(caught.value) == "the store does not know which cells the spots of section 'X1' hold"
    assert caught.value.hint == "ingest its Xenium bundle again with --name X1 --replace, then detect again"
    assert caught.value.hint in no_cell_groups("X1")
    assert not (tmp_path / "X1.csv").exists()
    bring_in(store, bundle, plugins, replace=True)
    assert not no_explorer(called())


def test_sections_of_other_platforms_have_no_cell_groups(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    assert no_explorer(make_result())
    with pytest.raises(InputError) as caught:
        write_cell_groups(make_result(), tmp_path / "S1.csv")
    assert str(caught.value) == "section 'S1' is visium, which Xenium Explorer does not open"
    assert caught.value.hint == "name Xenium sections, or choose another format"


def test_the_store_holds_its_cells_against_their_checksum_and_clears_what_nobody_knows(
    store: SpotStore, bundle: Path, plugins: Plugins
) -> None:
    bring_in(store, bundle, plugins)
    assert verify(store) == []
    kept = store.entry("X1").cells
    assert kept is not None
    assert collect_garbage(store, grace_seconds=0) == []
    entry = store.entry("X1").model_copy(update={"cells": None})
    store.update(lambda manifest: manifest.with_entry(entry))
    assert collect_garbage(store, grace_seconds=0) == [store.path / kept.path]
    bring_in(store, bundle, plugins, replace=True)
    next((store.path / kept.path).rglob("zarr.json")).write_text("{}")
    assert verify(store) == [f"section 'X1': {kept.path} has changed since it was written"]
