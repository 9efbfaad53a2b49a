"""What an embedding may depend on: its patch and its recipe, and nothing else."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import torch
from conftest import MakeSection
from PIL import Image
from stand_ins.encoder import embed_with
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding import staging
from spacrd_core.embedding.settings import Settings
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

CPU = Settings(device="cpu")


class Small:
    """A real, small network with fixed weights, and the mean colour."""

    Options = ComponentOptions
    recipe = Recipe(input_px=32, um_per_px=5.0, dim=11, weights="fixed")

    def __init__(self) -> None:
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 16, 5, 2), nn.GELU(), nn.Conv2d(16, 32, 3, 2), nn.GELU(), nn.AdaptiveAvgPool2d(1))
        self.network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 8)).eval()

    def to(self, device: torch.device) -> Self:
        self.network.to(device)
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        pixels = tiles.float()
        return torch.cat([pixels.mean(dim=(2, 3)), self.network(pixels / 255 - 0.5)], dim=1)


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    section = make_section(1)
    shuffled = replace(
        section, counts=section.counts[np.random.default_rng(0).permutation(section.counts.n_obs)].copy()
    )
    add_section(store, section, SectionKey("S1", "P1", "as-measured"))
    add_section(store, shuffled, SectionKey("S2", "P1", "shuffled"))
    return store


def embedded(store: SpotStore, section: str = "S1", **choices: Any) -> np.ndarray[Any, Any]:
    """Embed anew and return the values."""
    store.update(lambda m: m.with_entry(m.sections[section].model_copy(update={"embeddings": {}})))
    shutil.rmtree(store.path / "embeddings" / section, ignore_errors=True)
    embed_with(store, "small", Small(), sections=[section], settings=Settings(device="cpu", **choices))
    return store.embedding(section, encoder="small").values


def test_values_are_the_same_bits_whatever_the_batch_the_reader_threads_and_the_shards(
    store: SpotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = embedded(store)
    assert all(np.array_equal(reference, embedded(store, batch_size=size)) for size in (1, 7, 1000))
    assert np.array_equal(reference, embedded(store, reader_threads=5))
    monkeypatch.setattr(staging, "SHARD_ROWS", 10)
    monkeypatch.setattr(staging, "CHUNK_ROWS", 5)
    assert np.array_equal(reference, embedded(store))


@pytest.mark.slow
def test_values_follow_their_spots_bit_for_bit_in_another_order(store: SpotStore) -> None:
    reference, shuffled = embedded(store), embedded(store, "S2")
    order = store.section("S1").obs_names.get_indexer(store.section("S2").obs_names)
    assert not np.array_equal(order, np.arange(len(order)))
    assert np.array_equal(shuffled, reference[order])


@pytest.mark.slow
def test_the_mean_colour_is_that_of_the_tissue_around_the_spot(store: SpotStore, tmp_path: Path) -> None:
    obs = store.section("S1").obs
    with Image.open(tmp_path / "slide1.png") as image:
        for spot in (0, 77, 143):
            x, y = obs[["x_px", "y_px"]].to_numpy()[spot]
            box = (int(x - 16), int(y - 16), int(x + 16), int(y + 16))  # 160 um at 5 um/px
            expected = np.asarray(image.crop(box)).mean(axis=(0, 1))
            assert embedded(store)[spot, :3] == pytest.approx(expected, abs=0.6)


@pytest.mark.slow
def test_coverage_is_stored_with_the_values(store: SpotStore) -> None:
    embedded(store)
    assert (store.embedding("S1", encoder="small").coverage == 1).all()


@pytest.mark.slow
def test_the_report_has_seconds_by_step(store: SpotStore) -> None:
    report = embed_with(store, "small", Small(), settings=CPU)
    assert [(item.section, item.patches) for item in report.sections] == [("S1", 144), ("S2", 144)]
    assert {"read", "encode", "write"} <= set(report.seconds)
    parts = [item.seconds["encode"] for item in report.sections]
    assert report.seconds["encode"] == pytest.approx(sum(parts))
    assert report.patches == 288
    assert report.wall_seconds > 0


@pytest.mark.slow
def test_progress_counts_patches(store: SpotStore) -> None:
    shown: list[tuple[str, float | None, int]] = []

    def track(work: Iterable[Any], description: str, total: float | None = None) -> Iterable[Any]:
        items = list(work)
        shown.append((description, total, len(items)))
        return items

    embed_with(store, "small", Small(), settings=Settings(device="cpu", batch_size=50), track=track)
    assert shown == [("embedding by small", 288, 288)]
