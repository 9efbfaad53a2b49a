from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from spacrd_core.cards import Recipe
from spacrd_core.embedding import staging as module
from spacrd_core.embedding.staging import Staging
from spacrd_core.files import tree_sha256

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = Recipe(input_px=8, um_per_px=1.0, dim=3)
COVERAGE = np.linspace(0, 1, 20, dtype=np.float32)
VALUES = np.random.default_rng(0).random((20, 3), dtype=np.float32)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_ROWS", 8)
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)


def begin(folder: Path, *, encoder: str = "colour", recipe: Recipe = RECIPE, spots: int = 20) -> Staging:
    return Staging.open(folder, encoder=encoder, recipe=recipe, coverage=COVERAGE[:spots])


def fill(staging: Staging) -> None:
    for rows in staging.missing:
        staging.write(rows, VALUES[rows.start : rows.stop])


def test_a_task_is_a_shard_of_rows(tmp_path: Path) -> None:
    assert list(begin(tmp_path / "a").missing) == [range(8), range(8, 16), range(16, 20)]


def test_a_finished_folder_is_what_the_store_expects(tmp_path: Path) -> None:
    staging = begin(tmp_path / "a")
    fill(staging)
    group = zarr.open_group(staging.folder, mode="r")
    np.testing.assert_array_equal(group["values"][:], VALUES)  # type: ignore[index]
    np.testing.assert_array_equal(group["coverage"][:], COVERAGE)  # type: ignore[index]
    assert group.attrs["encoder"] == "colour"
    assert group.attrs["recipe"]["dim"] == 3  # type: ignore[index,call-overload]
    assert sorted(group.keys()) == ["coverage", "values"]


def test_shards_that_are_done_are_not_asked_for_again_and_the_files_end_up_the_same(tmp_path: Path) -> None:
    whole = begin(tmp_path / "whole")
    fill(whole)
    first = begin(tmp_path / "killed")
    first.write(range(8, 16), VALUES[8:16])
    second = begin(tmp_path / "killed")
    assert list(second.missing) == [range(8), range(16, 20)]
    fill(second)
    assert tree_sha256(second.folder) == tree_sha256(whole.folder)


def test_finished_work_is_still_finished_when_killed_before_it_is_published(tmp_path: Path) -> None:
    fill(begin(tmp_path / "a"))
    assert list(begin(tmp_path / "a").missing) == []


@pytest.mark.parametrize(
    "other",
    [{"encoder": "other"}, {"recipe": Recipe(input_px=8, um_per_px=2.0, dim=3)}, {"spots": 19}],
    ids=["encoder", "recipe", "spots"],
)
def test_work_for_something_else_is_begun_anew(tmp_path: Path, other: dict[str, object]) -> None:
    begin(tmp_path / "a").write(range(8), VALUES[:8])
    assert len(list(begin(tmp_path / "a", **other).missing)) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("leftover", ["zarr.json", "values/c/0/0"])
def test_what_was_killed_while_it_was_begun_is_begun_anew(tmp_path: Path, leftover: str) -> None:
    file = tmp_path / "a" / leftover
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    staging = begin(tmp_path / "a")
    assert len(list(staging.missing)) == 3
    fill(staging)
    np.testing.assert_array_equal(zarr.open_group(staging.folder, mode="r")["values"][:], VALUES)  # type: ignore[index]
