"""Sections loaded for training: complete, with finite values."""

import re
from pathlib import Path

import numpy as np
import pytest
import zarr
from conftest import MakeSection

from spacrd_cli.main import run
from spacrd_core.cohort.section_data import load_sections
from spacrd_core.errors import CorruptStore
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    """One section, embedded."""
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "A", "made1"))
    assert run(["embed", str(store.path), "--encoder", "stain", "-q"]) == 0
    return SpotStore.open(store.path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embeddings_that_are_not_finite_name_the_section_and_the_encoder(store: SpotStore, value: float) -> None:
    (folder,) = (store.path / "embeddings" / "S1").glob("[!.]*")
    values = zarr.open_group(folder, mode="r+")["values"]
    assert isinstance(values, zarr.Array)
    values[3, 0] = value
    forget_layouts(store)
    with pytest.raises(CorruptStore) as caught:
        load_sections(store, store.choose(), encoder="stain")
    assert "embeddings of section 'S1' by 'stain'" in str(caught.value)
    assert "embed the section again" in caught.value.hint


def forget_layouts(store: SpotStore) -> None:
    """Let the groups be of an earlier version, whose files may have changed unnoticed."""
    manifest = store.path / "spacrd.json"
    manifest.write_text(re.sub(r'("layout": *)"[0-9a-f]+"', r'\1""', manifest.read_text()))
