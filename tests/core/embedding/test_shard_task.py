import pickle
from dataclasses import replace
from typing import Any

import pytest
import torch
from conftest import MakeSection
from core.embedding.conftest import NewStore
from small_shards import ROWS

from spacrd_core.cards import ComponentOptions, Recipe
from spacrd_core.embedding.encoder_cache import cache_encoder
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.shard_task import Embedded, ShardTask, plan_section
from spacrd_core.embedding.staging import Staging
from spacrd_core.errors import RecipeMismatch, StoreError, UnknownSection
from spacrd_core.executors.task import Later, Worker, attempt
from spacrd_core.plugins import load_plugins
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.locks import lock_file, try_lock
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

CPU = Worker("cpu")
STAIN = load_plugins().encoders.card("stain").recipe


@pytest.fixture
def store(new_store: NewStore) -> SpotStore:
    return new_store()


@pytest.fixture
def task(store: SpotStore) -> ShardTask:
    """The second shard of a section that is prepared."""
    entry, recipe = store.entry("S1"), STAIN
    assert recipe
    folder = store.staging(entry, recipe.key)
    plan = plan_section(store, "S1", entry.geometry, recipe)
    Staging.open_or_create(folder, encoder="stain", options={}, recipe=recipe, precision="auto", coverage=plan.coverage)
    return ShardTask(
        store=store.path,
        section="S1",
        geometry=entry.geometry,
        encoder="stain",
        options={},
        recipe=recipe.key,
        rows=range(ROWS, 2 * ROWS),
        staging=folder,
        settings=Settings(device="cpu", batch_size=5),
    )


def patches(task: ShardTask) -> int:
    """The number of patches that a task embeds."""
    embedded = task.run(CPU)
    assert isinstance(embedded, Embedded)
    return embedded.patches


def test_a_shard_is_embedded_and_entered_in_the_ledger(task: ShardTask) -> None:
    reported: list[int] = []
    embedded = task.run(Worker("cpu", reported.append))
    assert isinstance(embedded, Embedded)
    assert (embedded.patches, sum(reported)) == (ROWS, ROWS)
    assert set(embedded.seconds) >= {"read", "encode", "write"}
    staging = Staging(task.staging)
    assert staging.is_done(task.rows)
    assert task.rows not in staging.missing
    assert len(staging.missing) == 8


@pytest.mark.slow
def test_a_task_and_its_outcome_can_be_sent_to_another_process(task: ShardTask) -> None:
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301 - our own
    failed = attempt(replace(task, section="S9"), CPU)
    back = pickle.loads(pickle.dumps(failed))  # noqa: S301 - our own
    assert isinstance(back.error, UnknownSection)
    assert str(back.error).endswith("has no section 'S9'")
    assert back.error.hint
    assert back.error.hint.endswith("S1, S2")


def test_a_shard_that_is_done_is_not_done_again(task: ShardTask) -> None:
    task.run(CPU)
    assert task.run(CPU) == Embedded()


@pytest.mark.slow
def test_a_shard_that_another_process_has_locked_is_left_to_it(task: ShardTask) -> None:
    with try_lock(lock_file(task.staging, str(task.rows.start))):
        later = task.run(CPU)
        assert later == Later(replace(task, wait=True))
        assert patches(replace(task, rows=range(ROWS))) == ROWS, "the others are free"
    assert patches(replace(task, wait=True)) == ROWS


@pytest.mark.slow
def test_a_section_that_was_replaced_is_not_mixed_with_what_it_was(
    task: ShardTask, store: SpotStore, make_section: MakeSection
) -> None:
    add_section(store, make_section(9), SectionKey("S1", "P1", "another-slide"))
    with pytest.raises(StoreError, match="was replaced while this command ran"):
        task.run(CPU)
    assert not Staging(task.staging).is_done(task.rows)


@pytest.mark.slow
def test_another_recipe_under_the_same_name_is_refused(task: ShardTask) -> None:
    with pytest.raises(RecipeMismatch, match="a different recipe in this worker") as caught:
        replace(task, recipe="0123456789abcdef").run(CPU)
    assert caught.value.hint


class Counting:
    """An encoder that counts how often it is moved, and is never built from its name."""

    Options = ComponentOptions
    recipe = STAIN or Recipe(input_px=32, um_per_px=12.5, dim=33)

    def to(self, device: torch.device) -> Any:
        return self

    def embed(self, tiles: torch.Tensor) -> torch.Tensor:
        return tiles.float().mean(dim=(1, 2, 3))[:, None].expand(-1, self.recipe.dim)


@pytest.mark.slow
def test_a_process_builds_an_encoder_once_and_uses_an_existing_one(task: ShardTask) -> None:
    named = replace(task, encoder="no-such-encoder", options={"weights": "nowhere"})
    cache_encoder(Counting(), "no-such-encoder", {"weights": "nowhere"})
    assert patches(named) == ROWS
    assert attempt(replace(named, rows=range(ROWS), options={}), CPU).error, "other options are another encoder"


@pytest.mark.slow
def test_an_unexpected_error_is_retryable_and_keeps_its_traceback(task: ShardTask) -> None:
    class Broken(Counting):
        def embed(self, tiles: torch.Tensor) -> torch.Tensor:
            raise ZeroDivisionError("boom")

    cache_encoder(Broken(), "stain", {})
    outcome = attempt(task, CPU)
    assert outcome.retryable
    assert str(outcome.error) == "ZeroDivisionError: boom"
    assert outcome.error
    assert "in embed" in outcome.error.__notes__[-1]
    cache_encoder(load_plugins().encoders.create("stain"), "stain", {})
