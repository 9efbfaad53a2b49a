import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from spacrd_core.cards import Recipe
from spacrd_core.embedding import staging as staging_module
from spacrd_core.embedding.staging import Staging, shard_ranges
from spacrd_core.errors import CorruptStore, StoreBusy, StoreError
from spacrd_core.files import tree_sha256
from spacrd_core.store.locks import lock_file, try_lock

RECIPE = Recipe(input_px=8, um_per_px=1.0, dim=3)
COVERAGE = np.linspace(0, 1, 20, dtype=np.float32)
VALUES = np.random.default_rng(0).random((20, 3), dtype=np.float32)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging_module, "SHARD_ROWS", 8)
    monkeypatch.setattr(staging_module, "CHUNK_ROWS", 4)


def open_staging(
    folder: Path, *, encoder: str = "colour", recipe: Recipe = RECIPE, precision: str = "auto", spots: int = 20
) -> Staging:
    return Staging.open_or_create(
        folder, encoder=encoder, options={}, recipe=recipe, precision=precision, coverage=COVERAGE[:spots]
    )


def fill(staging: Staging) -> None:
    for rows in staging.missing:
        staging.write(rows, VALUES[rows.start : rows.stop], "fp32")


def test_a_task_is_a_shard_of_rows(tmp_path: Path) -> None:
    assert open_staging(tmp_path / "a").missing == shard_ranges(20) == [range(8), range(8, 16), range(16, 20)]


def test_a_finished_folder_is_what_the_store_expects(tmp_path: Path) -> None:
    staging = open_staging(tmp_path / "a")
    fill(staging)
    staging.finalise()
    group = zarr.open_group(staging.folder, mode="r")
    np.testing.assert_array_equal(group["values"][:], VALUES)  # type: ignore[index]
    np.testing.assert_array_equal(group["coverage"][:], COVERAGE)  # type: ignore[index]
    assert (group.attrs["encoder"], group.attrs["precision"]) == ("colour", "fp32")
    assert group.attrs["recipe"]["dim"] == 3  # type: ignore[index,call-overload]
    assert sorted(group.keys()) == ["coverage", "done", "values"]


def test_the_precision_of_all_shards_is_recorded_whatever_was_requested(tmp_path: Path) -> None:
    staging = open_staging(tmp_path / "a", precision="auto")
    for rows, precision in zip(shard_ranges(20), ("fp16", "fp32", "fp16"), strict=True):
        staging.write(rows, VALUES[rows.start : rows.stop], precision)
    assert staging.precision == ""
    staging.finalise()
    assert staging.precision == "fp32 and fp16"
    assert open_staging(tmp_path / "a", precision="auto").missing == [], "it is still the work that was begun"


def test_shards_that_are_done_are_not_missing_and_the_files_end_up_the_same(tmp_path: Path) -> None:
    whole = open_staging(tmp_path / "whole")
    fill(whole)
    first = open_staging(tmp_path / "killed")
    first.write(range(8, 16), VALUES[8:16], "fp32")
    second = open_staging(tmp_path / "killed")
    assert second.missing == [range(8), range(16, 20)]
    assert [second.is_done(rows) for rows in shard_ranges(20)] == [False, True, False]
    fill(second)
    assert tree_sha256(second.folder) == tree_sha256(whole.folder)


def test_finished_work_is_still_finished_when_killed_before_it_is_published(tmp_path: Path) -> None:
    fill(open_staging(tmp_path / "a"))
    assert open_staging(tmp_path / "a").missing == []


@pytest.mark.parametrize(
    "other",
    [{"encoder": "other"}, {"recipe": Recipe(input_px=8, um_per_px=2.0, dim=3)}, {"precision": "bf16"}, {"spots": 19}],
    ids=["encoder", "recipe", "precision", "spots"],
)
def test_work_for_something_else_is_begun_anew(tmp_path: Path, other: dict[str, object]) -> None:
    open_staging(tmp_path / "a").write(range(8), VALUES[:8], "fp32")
    assert len(open_staging(tmp_path / "a", **other).missing) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("leftover", ["zarr.json", "values/c/0/0"])
def test_what_was_killed_while_it_was_begun_is_begun_anew(tmp_path: Path, leftover: str) -> None:
    file = tmp_path / "a" / leftover
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    staging = open_staging(tmp_path / "a")
    assert len(staging.missing) == 3
    fill(staging)
    np.testing.assert_array_equal(zarr.open_group(staging.folder, mode="r")["values"][:], VALUES)  # type: ignore[index]


@pytest.mark.parametrize("rows", [range(4), range(4, 12), range(16), range(16, 24)])
def test_less_or_more_than_a_shard_is_refused(tmp_path: Path, rows: range) -> None:
    staging = open_staging(tmp_path / "a")
    with pytest.raises(ValueError, match=f"rows {rows.start} to {rows.stop} are not a shard"):
        staging.write(rows, np.zeros((len(rows), 3), dtype=np.float32), "fp32")


@pytest.mark.slow
def test_processes_that_write_side_by_side_lose_nothing(tmp_path: Path) -> None:
    whole = open_staging(tmp_path / "whole")
    fill(whole)
    staging = open_staging(tmp_path / "a")
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=staging.write, args=(rows, VALUES[rows.start : rows.stop], "fp32"))
        for rows in staging.missing
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert tree_sha256(staging.folder) == tree_sha256(whole.folder)


def test_the_ledger_has_one_file_per_shard(tmp_path: Path) -> None:
    staging = open_staging(tmp_path / "a")
    staging.write(range(8, 16), VALUES[8:16], "fp16")
    assert [file.relative_to(staging.folder).as_posix() for file in staging.folder.glob("done/c/*")] == ["done/c/1"]
    assert (staging.folder / "done/c/1").read_bytes() == b"\x03", "which stands for fp16"


def test_once_published_and_gone_nothing_is_missing(tmp_path: Path) -> None:
    staging = open_staging(tmp_path / "a")
    shutil.move(staging.folder, tmp_path / "published")
    assert staging.missing == []
    assert staging.is_done(range(8))


def test_a_folder_that_was_removed_is_an_error_that_says_so(tmp_path: Path) -> None:
    staging = open_staging(tmp_path / "a")
    shutil.rmtree(staging.folder)
    with pytest.raises(StoreError, match="a was removed meanwhile"):
        staging.write(range(8), VALUES[:8], "fp32")
    with pytest.raises(StoreError, match="a was removed meanwhile"):
        staging.finalise()


def test_values_that_were_lost_are_named_and_missing_again(tmp_path: Path) -> None:
    staging = open_staging(tmp_path / "a")
    fill(staging)
    (staging.folder / "values/c/1/0").unlink()
    with pytest.raises(CorruptStore, match="lost embeddings that were written: spots 9 to 16") as caught:
        staging.finalise()
    assert caught.value.hint
    assert "the same command" in caught.value.hint
    assert staging.missing == [range(8, 16)]


def test_what_a_killed_writer_left_is_swept_up(tmp_path: Path) -> None:
    whole, staging = open_staging(tmp_path / "whole"), open_staging(tmp_path / "a")
    fill(whole)
    (staging.folder / "values/c/0").mkdir(parents=True)
    (staging.folder / "values/c/0/0.0123.partial").write_bytes(b"half a shard")
    fill(staging)
    for embeddings in (whole, staging):
        embeddings.finalise()
    assert tree_sha256(staging.folder) == tree_sha256(whole.folder)


def test_work_is_not_begun_anew_while_another_process_writes(tmp_path: Path) -> None:
    staging = open_staging(tmp_path / "a")
    with try_lock(lock_file(staging.folder, "0")):
        assert open_staging(tmp_path / "a").missing == staging.missing, "the same work is shared"
        with pytest.raises(StoreBusy, match="another process writes other embeddings to"):
            open_staging(tmp_path / "a", encoder="other")
