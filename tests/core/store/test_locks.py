from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from spacrd_core.store.locks import any_piece_held, anyone_at_work, at_work, hold, lock_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys, time
from pathlib import Path
from spacrd_core.store.holds import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "section" / ".partial-work"


@pytest.fixture
def another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds a piece of the folder."""
    folder.parent.mkdir()
    line = [sys.executable, "-c", HOLD, str(lock_of(folder, "8"))]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_piece_is_one_process_at_a_time(folder: Path, another: subprocess.Popen[str]) -> None:
    with hold(lock_of(folder, "8"), wait=False) as mine:
        assert not mine
    assert any_piece_held(folder)
    with hold(lock_of(folder, "0"), wait=False) as mine:
        assert mine


def test_a_killed_process_holds_nothing(folder: Path, another: subprocess.Popen[str]) -> None:
    os.kill(another.pid, signal.SIGKILL)
    with hold(lock_of(folder, "8"), wait=True) as mine:
        assert mine


def test_what_a_killed_process_leaves_is_cleared(folder: Path, another: subprocess.Popen[str]) -> None:
    os.kill(another.pid, signal.SIGKILL)
    another.wait()
    assert lock_of(folder, "8").exists()
    assert not any_piece_held(folder)
    assert not lock_of(folder, "8").exists()


def test_whoever_decides_about_all_of_a_folder_is_in_no_ones_way(folder: Path) -> None:
    folder.parent.mkdir()
    with hold(lock_of(folder)), hold(lock_of(folder, "0"), wait=False) as mine:
        assert mine
        assert any_piece_held(folder)
    assert not list(folder.parent.iterdir())


def test_several_may_be_at_work(tmp_path: Path) -> None:
    with at_work(tmp_path), at_work(tmp_path):
        assert anyone_at_work(tmp_path)
    assert not anyone_at_work(tmp_path)
    assert not list(tmp_path.iterdir())
