"""``embed --again``: embeddings that are done are made anew, and the earlier ones stay valid until then."""

import os
import signal
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import torch
from conftest import MakeSection
from core.embedding.conftest import NewStore
from small_shards import NETWORK, ROWS, SECTIONS, SPOTS, embed_all, start_embed, until_shards_are_done
from stand_ins.encoder import embed_with
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.garbage import collect_garbage
from spacrd_core.store.remove import remove_sections
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_core.store.write import add_section

CPU = Settings(device="cpu")
SHARDS = SECTIONS * SPOTS // ROWS


class Shade:
    """Mean colour times a factor that its recipe does not state, as after a change of its code."""

    Options = ComponentOptions
    recipe = Recipe(input_px=20, um_per_px=5.0, dim=3)

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.tiles = 0

    def to(self, device: torch.device) -> Self:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        self.tiles += len(tiles)
        return tiles.float().mean((2, 3)) * self.factor


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    return store


def values(store: SpotStore, section: str = "S1", encoder: str = "shade") -> np.ndarray[Any, Any]:
    return store.embedding(section, encoder=encoder).values


def test_embeddings_are_made_anew_only_if_that_is_asked_for(store: SpotStore) -> None:
    embed_with(store, "shade", Shade(1.0), settings=CPU)
    before = values(store)
    assert embed_with(store, "shade", Shade(2.0), settings=CPU).patches == 0
    assert np.array_equal(values(store), before)
    for factor in (2.0, 3.0):
        assert embed_with(store, "shade", Shade(factor), settings=CPU, again=True).patches == SPOTS
        assert np.allclose(values(store), before * factor)
    assert verify(store) == []
    assert len(store.entry("S1").embeddings) == 1


def test_again_embeds_a_section_for_the_first_time_as_well(store: SpotStore) -> None:
    assert embed_with(store, "shade", Shade(1.0), settings=CPU, again=True).patches == SPOTS
    assert verify(store) == []


def test_a_reader_of_the_earlier_embeddings_is_not_disturbed(store: SpotStore) -> None:
    embed_with(store, "shade", Shade(1.0), settings=CPU)
    earlier = store.path / next(iter(store.entry("S1").embeddings.values())).path
    embed_with(store, "shade", Shade(2.0), settings=CPU, again=True)
    assert (earlier / "values").is_dir()
    assert earlier in collect_garbage(store, grace_seconds=0)
    assert verify(store) == []


@pytest.mark.slow
def test_superseded_embeddings_never_come_back(store: SpotStore, make_section: MakeSection) -> None:
    embed_with(store, "shade", Shade(1.0), settings=CPU)
    embed_with(store, "shade", Shade(2.0), settings=CPU, again=True)
    latest = values(store)
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "no_image"))
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    assert embed_with(store, "shade", Shade(2.0), settings=CPU).patches == SPOTS
    assert np.array_equal(values(store), latest)
    assert embed_with(store, "shade", Shade(4.0), settings=CPU, again=True).patches == SPOTS
    assert np.allclose(values(store), 2 * latest)


@pytest.mark.slow
def test_embeddings_of_a_removed_section_are_made_anew_when_it_comes_back(
    store: SpotStore, make_section: MakeSection
) -> None:
    embed_with(store, "shade", Shade(1.0), settings=CPU)
    remove_sections(store, ["S1"])
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    assert embed_with(store, "shade", Shade(1.0), settings=CPU).patches == SPOTS


@pytest.mark.slow
def test_a_killed_run_leaves_the_earlier_embeddings_and_the_next_one_finishes_it(new_store: NewStore) -> None:
    store = new_store()
    embed_all(store)
    earlier = {section: values(store, section, NETWORK) for section in store.entries}
    run = start_embed(store, "--again")
    until_shards_are_done(SHARDS + 4, store, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    assert verify(store) == []
    for section, array in earlier.items():
        assert np.array_equal(values(store, section, NETWORK), array)
    assert 0 < embed_all(store, again=True).patches <= (SHARDS - 4) * ROWS
    assert verify(store) == []
    for section, array in earlier.items():
        assert np.array_equal(values(store, section, NETWORK), array), "the same network, weights and batches"


def test_a_run_without_work_removes_the_locks_that_a_run_killed_at_its_end_has_left(store: SpotStore) -> None:
    embed(store, "stain")
    left = [store.path / place for place in ("sections/S1/.in-use-a.lock", "embeddings/S1/.partial-a.lock")]
    for file in left:
        file.touch()
    assert embed(store, "stain").patches == 0
    assert not any(file.exists() for file in left)
