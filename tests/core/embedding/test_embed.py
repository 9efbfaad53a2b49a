import shutil
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import torch
import zarr
from conftest import MakeSection
from stand_ins.encoder import embed_with
from torch import Tensor

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding import staging
from spacrd_core.embedding.pipeline import CPU_BATCH_SIZE
from spacrd_core.embedding.settings import Precision, Settings
from spacrd_core.errors import StoreError, UnknownSection
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

CPU = Settings(device="cpu")


class Colour:
    """Mean colour, and a small convolution: enough to recognise its input."""

    Options = ComponentOptions
    recipe = Recipe(input_px=20, um_per_px=5.0, dim=5, weights="fixed")

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.convolution = torch.nn.Conv2d(3, 2, 5, stride=3)
        self.seen = 0
        self.stop_after = 10**9

    def to(self, device: torch.device) -> Self:
        return self

    def embed(self, tiles: Tensor) -> Tensor:
        self.seen += len(tiles)
        if self.seen > self.stop_after:
            raise KeyboardInterrupt
        values = tiles.float()
        return torch.cat([values.mean((2, 3)), self.convolution(values / 255).mean((2, 3))], dim=1)


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    add_section(store, make_section(2, image=False), SectionKey("S2", "P2", "two"))
    return store


def values(store: SpotStore) -> np.ndarray[Any, Any]:
    return store.embedding("S1", encoder="colour").values


def remove_embeddings(store: SpotStore) -> None:
    """Remove all embeddings from the store."""
    store.update(lambda m: m.with_entry(m.sections["S1"].model_copy(update={"embeddings": {}})))
    shutil.rmtree(store.path / "embeddings")


def test_every_spot_gets_the_tissue_around_it(store: SpotStore) -> None:
    embed_with(store, "colour", Colour(), settings=CPU)
    adata = store.section("S1")
    dark = (adata.obs["label"] == "cancer").to_numpy()
    red = values(store)[:, 0]
    assert red[dark].max() < red[~dark].min()


@pytest.mark.slow
def test_values_do_not_depend_on_the_batch_size(store: SpotStore) -> None:
    embed_with(store, "colour", Colour(), settings=Settings(device="cpu", batch_size=7))
    small = values(store)
    remove_embeddings(store)
    embed_with(store, "colour", Colour(), settings=CPU)
    assert np.array_equal(small, values(store))


def test_a_second_run_embeds_nothing(store: SpotStore) -> None:
    embed_with(store, "colour", Colour(), settings=CPU)
    encoder = Colour()
    report = embed_with(store, "colour", encoder, settings=CPU)
    assert encoder.seen == 0
    assert [item.note for item in report.sections] == ["done before", "no image"]


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(
    ("precision", "note"), [("bf16", "done before in fp32"), ("fp32", "done before"), ("auto", "done before")]
)
def test_a_note_says_what_was_done_before_in_another_precision(
    store: SpotStore, precision: Precision, note: str
) -> None:
    embed_with(store, "colour", Colour(), settings=CPU)
    report = embed_with(store, "colour", Colour(), settings=Settings(device="cpu", precision=precision))
    assert (report.patches, report.sections[0].note) == (0, note)


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(("requested", "used"), [("auto", "fp32"), ("bf16", "bf16")])
def test_embeddings_carry_the_precision_they_were_computed_in(
    store: SpotStore, requested: Precision, used: str
) -> None:
    embed_with(store, "colour", Colour(), settings=Settings(device="cpu", precision=requested))
    (record,) = store.entry("S1").embeddings.values()
    assert zarr.open_group(store.path / record.path, mode="r").attrs["precision"] == used


@pytest.mark.slow
def test_what_did_not_fit_the_memory_once_is_not_tried_again_for_every_shard(
    store: SpotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large(Colour):
        def embed(self, tiles: Tensor) -> Tensor:
            batch_sizes.append(len(tiles))
            if len(tiles) > 4:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().embed(tiles)

    batch_sizes: list[int] = []
    monkeypatch.setattr(staging, "SHARD_ROWS", 48)
    monkeypatch.setattr(staging, "CHUNK_ROWS", 48)
    report = embed_with(store, "colour", Large(), settings=CPU)
    assert [count for count in batch_sizes if count > 4] == [CPU_BATCH_SIZE, CPU_BATCH_SIZE // 2]
    assert report.sections[0].note == f"batches of {CPU_BATCH_SIZE} patches do not fit cpu: the batch size was 4"


@pytest.mark.slow
def test_an_interrupted_run_resumes_and_equals_an_uninterrupted_one(
    store: SpotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "SHARD_ROWS", 48)
    monkeypatch.setattr(staging, "CHUNK_ROWS", 48)
    encoder = Colour()
    encoder.stop_after = 110
    with pytest.raises(KeyboardInterrupt):
        embed_with(store, "colour", encoder, settings=Settings(device="cpu", batch_size=16))
    assert store.entry("S1").embeddings == {}, "nothing half done is published"
    resumed = Colour()
    embed_with(store, "colour", resumed, settings=Settings(device="cpu", batch_size=16))
    assert resumed.seen == 144 - 96, "two of three shards were kept"
    resumed_values = values(store)
    remove_embeddings(store)
    embed_with(store, "colour", Colour(), settings=Settings(device="cpu", batch_size=16))
    assert np.array_equal(resumed_values, values(store))


@pytest.mark.slow
def test_another_recipe_is_stored_beside_the_first_and_the_name_means_the_latest(store: SpotStore) -> None:
    embed_with(store, "colour", Colour(), settings=CPU)
    wider = Colour()
    wider.recipe = Recipe(input_px=20, um_per_px=10.0, dim=5, weights="fixed")
    embed_with(store, "colour", wider, settings=CPU)
    assert store.embedding("S1", encoder="colour").recipe.patch_um == 200.0
    assert store.embedding("S1", key=Colour.recipe.key).recipe.patch_um == 100.0


@pytest.mark.slow
def test_embeddings_of_a_section_replaced_meanwhile_are_not_published(
    store: SpotStore, make_section: MakeSection
) -> None:
    class Slow(Colour):
        def embed(self, tiles: Tensor) -> Tensor:
            if not self.seen:
                add_section(store, make_section(3), SectionKey("S1", "P1", "other-slide"))
            return super().embed(tiles)

    with pytest.raises(StoreError, match="section 'S1' was replaced while this command ran"):
        embed_with(store, "colour", Slow(), settings=CPU)
    assert store.entry("S1").embeddings == {}


def test_a_store_without_any_image_is_refused_with_a_remedy(tmp_path: Path, make_section: MakeSection) -> None:
    store = SpotStore.create(tmp_path / "blind")
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    with pytest.raises(UnknownSection, match=r"no section of .* has an image"):
        embed_with(store, "colour", Colour(), settings=CPU)


@pytest.mark.slow
def test_embeddings_outlive_a_change_of_labels_but_not_of_the_slide(
    store: SpotStore, make_section: MakeSection
) -> None:
    embed_with(store, "colour", Colour(), settings=CPU)
    add_section(store, make_section(1, labels=False), SectionKey("S1", "P1", "relabelled"))
    assert store.entry("S1").embeddings
    add_section(store, make_section(3), SectionKey("S1", "P1", "other-slide"))
    assert not store.entry("S1").embeddings


class Fine(Colour):
    recipe = Recipe(input_px=20, um_per_px=1.0, dim=5, weights="fixed")


@pytest.mark.slow
def test_a_slide_coarser_than_the_patches_gives_one_warning_before_the_first_patch(store: SpotStore) -> None:
    warnings: list[str] = []
    encoder = Fine()

    def warn(sentence: str) -> None:
        assert encoder.seen == 0
        warnings.append(sentence)

    embed_with(store, "fine", encoder, settings=CPU, on_warning=warn)
    embed_with(store, "colour", Colour(), settings=CPU, on_warning=warnings.append)
    (warning,) = warnings
    assert "'fine' needs, which is 1 um/px: S1 (5 um/px)" in warning
