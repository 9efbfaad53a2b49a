"""Where output may be written: outside stores, detectors and zarrs, and only where there are right and room."""

import json
import os
from pathlib import Path

import pytest

from spacrd_core.detector.config import FORMAT
from spacrd_core.detector.files import CONFIG_FILE
from spacrd_core.errors import InputError, OutputError
from spacrd_core.outputs import has_signature, require_outside, require_room
from spacrd_core.store.folder import MANIFEST_FILE, StoreFolder

MARKS = {
    "a spot store": (MANIFEST_FILE, "{}"),
    "a detector": (CONFIG_FILE, json.dumps({"format": FORMAT})),
    "a zarr": ("zarr.json", "{}"),
}


@pytest.mark.parametrize("kind", MARKS)
def test_nothing_is_written_into_what_must_stay_as_it_is_nor_through_a_link(kind: str, tmp_path: Path) -> None:
    name, text = MARKS[kind]
    folder = tmp_path / "theirs"
    (folder / "deep").mkdir(parents=True)
    (folder / name).write_text(text)
    (tmp_path / "link").symlink_to(folder / "deep")
    for path in (folder / "new", folder / "deep" / "er" / "new", tmp_path / "link" / "new"):
        with pytest.raises(InputError, match=f"is in {kind}, {folder}"):
            require_outside(path)
    require_outside(folder)
    require_outside(tmp_path / "beside")
    with pytest.raises(InputError, match=f"theirs is {kind}"):
        require_outside(folder, itself=True)


def test_no_store_is_created_in_a_detector(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text(json.dumps({"format": FORMAT}))
    with pytest.raises(InputError, match="is in a detector"):
        StoreFolder.create(tmp_path / "store")


def test_a_loop_of_links_is_inside_nothing(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    require_outside(tmp_path / "loop" / "new")


def test_a_pipe_is_not_read_for_a_signature(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not has_signature(tmp_path / "pipe", b"x")
    assert not has_signature(tmp_path, b"x")
    assert not has_signature(tmp_path / "none", b"x")


def test_a_folder_that_cannot_be_written_is_refused_before_the_work() -> None:
    with pytest.raises(OutputError, match="/proc/results cannot be written: ") as caught:
        require_room(Path("/proc/results"))
    assert caught.value.hint == "name a place that you may write to"


def test_a_disk_without_room_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"has room for .* MB, and about 1e\+10 MB are needed|cannot be written"):
        require_room(tmp_path / "new", 10**16)
    assert not list(tmp_path.iterdir())
