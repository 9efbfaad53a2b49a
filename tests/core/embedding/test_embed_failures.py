"""An error in one section is reported for that section and stops no other one."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from core.embedding.conftest import NewStore, StoredEmbeddings
from small_shards import NETWORK, OPTIONS, ROWS, SECTIONS, SPOTS, embed_all, embeddings, shards_done
from stand_ins.encoder import embed_with

from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import CorruptStore, EncoderError, RecipeMismatch, SpacrdError
from spacrd_core.executors.processes import Processes
from spacrd_core.executors.run import MAX_TRIES
from spacrd_core.files import tree_sha256
from spacrd_core.plugins import load_plugins
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

CPU = Settings(device="cpu", batch_size=8)


def slide(store: SpotStore, section: str) -> Path:
    record = store.entry(section).slide
    assert record
    return store.path / record.path


def damage(store: SpotStore, section: str) -> None:
    """Truncate every file that holds pixels."""
    for file in slide(store, section).rglob("c/*/*/*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:-40])


def test_a_section_with_a_damaged_slide_is_named_and_the_others_are_embedded(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    damage(store, "S1")
    with pytest.raises(SpacrdError) as caught:
        embed_all(store)
    assert caught.value.context == ["section 'S1'"]
    assert caught.value.hint
    assert (list(store.entry("S1").embeddings), len(store.entry("S2").embeddings)) == ([], 1)
    assert embeddings(store)[1]["S2"] == uninterrupted[1]["S2"]


@pytest.mark.slow
def test_several_damaged_sections_are_all_named(new_store: NewStore) -> None:
    store = new_store()
    damage(store, "S1")
    shutil.rmtree(slide(store, "S2"))
    with pytest.raises(ExceptionGroup, match=f"2 of {SECTIONS} sections were not embedded") as caught:
        embed_all(store)
    assert [getattr(error, "context", None) for error in caught.value.exceptions] == [
        ["section 'S1'"],
        ["section 'S2'"],
    ]
    assert isinstance(caught.value.exceptions[1], CorruptStore)


class Fragile:
    """The small network, which fails a number of times after three shards are done."""

    def __init__(self, store: SpotStore, failures: int) -> None:
        self.inner = load_plugins().encoders.create(NETWORK, OPTIONS)
        self.Options, self.recipe = self.inner.Options, self.inner.recipe
        self.store, self.failures = store, failures

    def to(self, device: torch.device) -> Any:
        return self

    def embed(self, tiles: torch.Tensor) -> torch.Tensor:
        if self.failures and shards_done(self.store) >= 3:
            self.failures -= 1
            raise ZeroDivisionError("boom")
        embedded: torch.Tensor = self.inner.embed(tiles)
        return embedded


@pytest.mark.slow
def test_an_unexpected_error_is_tried_again(new_store: NewStore, uninterrupted: StoredEmbeddings) -> None:
    store = new_store()
    report = embed_with(store, NETWORK, Fragile(store, MAX_TRIES - 1), options=OPTIONS, settings=CPU)
    assert report.patches == SECTIONS * SPOTS
    assert embeddings(store) == uninterrupted


@pytest.mark.slow
def test_what_fails_repeatedly_is_named_with_its_spots_and_finished_shards_are_kept(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    with pytest.raises(EncoderError) as caught:
        embed_with(store, NETWORK, Fragile(store, 10**9), options=OPTIONS, settings=CPU, sections=["S1"])
    assert "spots 49 to 64 of section 'S1' failed repeatedly: ZeroDivisionError: boom" in str(caught.value)
    assert caught.value.hint
    assert "--debug" in caught.value.hint
    assert caught.value.__cause__
    assert caught.value.__cause__.__cause__
    assert "in embed" in caught.value.__cause__.__cause__.__notes__[-1]
    assert embed_all(store).patches == SECTIONS * SPOTS - 3 * ROWS
    assert embeddings(store) == uninterrupted


@pytest.mark.slow
def test_workers_with_another_encoder_of_that_name_stop_everything_at_once(new_store: NewStore) -> None:
    store, encoder = new_store(), load_plugins().encoders.create("stain")
    encoder.recipe = replace(encoder.recipe, settings='{"version": 99}')  # as of a newer SpaCRD, here but not there
    with pytest.raises(RecipeMismatch, match="a different recipe in this worker"):
        embed_with(store, "stain", encoder, settings=CPU, executor=Processes(1))
    assert shards_done(store) == 0


@pytest.mark.slow
def test_a_finished_section_that_was_not_published_when_killed_is_published_without_work(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    embed_all(store)
    store.update(lambda m: m.with_entry(m.sections["S1"].model_copy(update={"embeddings": {}})))
    assert embed_all(store).patches == 0
    assert embeddings(store) == uninterrupted
    assert verify(store) == []


def test_embeddings_that_are_gone_from_the_disk_are_made_again(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    embed_all(store)
    shutil.rmtree(store.path / next(iter(store.entry("S1").embeddings.values())).path)
    assert embed_all(store).patches == SPOTS
    assert embeddings(store) == uninterrupted


@pytest.mark.slow
def test_what_is_published_is_complete_and_has_the_checksum_of_the_manifest(new_store: NewStore) -> None:
    store = new_store()
    embed_all(store)
    record = next(iter(store.entry("S1").embeddings.values()))
    assert tree_sha256(store.path / record.path) == record.sha256
    assert [folder.name for folder in (store.path / "embeddings" / "S1").iterdir()] == [record.path.rpartition("/")[2]]
