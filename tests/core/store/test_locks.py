import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacrd_core.store.locks import any_piece_locked, is_in_use, lock_file, mark_in_use, try_lock

LOCK_A_PIECE = """
import sys, time
from pathlib import Path
from spacrd_core.store.locks import try_lock
with try_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""

REMOVE_WHILE_EMPTY = """
import sys, time
from contextlib import suppress
from pathlib import Path
while True:
    with suppress(OSError):
        Path(sys.argv[1]).rmdir()
    time.sleep(0.0002)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "section" / ".partial-work"


@pytest.fixture
def another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which has locked a piece of the folder."""
    folder.parent.mkdir()
    command = [sys.executable, "-c", LOCK_A_PIECE, str(lock_file(folder, "8"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_piece_is_locked_by_one_process_at_a_time(folder: Path, another: subprocess.Popen[str]) -> None:
    with try_lock(lock_file(folder, "8"), wait=False) as acquired:
        assert not acquired
    assert any_piece_locked(folder)
    with try_lock(lock_file(folder, "0"), wait=False) as acquired:
        assert acquired


def test_the_locks_of_a_killed_process_are_released(folder: Path, another: subprocess.Popen[str]) -> None:
    os.kill(another.pid, signal.SIGKILL)
    with try_lock(lock_file(folder, "8"), wait=True) as acquired:
        assert acquired


def test_lock_files_of_a_killed_process_are_removed(folder: Path, another: subprocess.Popen[str]) -> None:
    os.kill(another.pid, signal.SIGKILL)
    another.wait()
    assert lock_file(folder, "8").exists()
    assert not any_piece_locked(folder)
    assert not lock_file(folder, "8").exists()


def test_a_lock_on_a_folder_does_not_block_its_pieces(folder: Path) -> None:
    folder.parent.mkdir()
    with try_lock(lock_file(folder)), try_lock(lock_file(folder, "0"), wait=False) as acquired:
        assert acquired
        assert any_piece_locked(folder)
    assert not list(folder.parent.iterdir())


def test_several_processes_can_mark_a_folder_as_in_use(tmp_path: Path) -> None:
    with mark_in_use(tmp_path), mark_in_use(tmp_path):
        assert is_in_use(tmp_path)
    assert not is_in_use(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_another_process_removes_while_it_is_empty_can_be_marked(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", REMOVE_WHILE_EMPTY, str(folder)]) as process:
        try:
            for _ in range(400):
                with mark_in_use(folder) as file:
                    assert file.exists()
                assert not is_in_use(folder)
        finally:
            process.kill()


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError), mark_in_use(tmp_path / "file"):
        pass
