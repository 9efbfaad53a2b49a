"""Temporary folders: those of killed processes are removed, and nothing else."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from spacrd_core.staging import staging

HOLD = """
import sys, time
from pathlib import Path
from spacrd_core.staging import staging
with staging(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print(folder, flush=True)
    time.sleep(60)
"""

CLEAN = """
import sys
from pathlib import Path
from spacrd_core.staging import remove_abandoned
while True:
    remove_abandoned(Path(sys.argv[1]))
"""


def test_a_temporary_folder_is_removed_at_the_end(tmp_path: Path) -> None:
    with staging(tmp_path) as folder:
        (folder / "file").touch()
        assert folder.parent == tmp_path
    assert not list(tmp_path.iterdir())


def test_that_of_a_process_at_work_stays_and_that_of_a_killed_one_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().strip())
        with staging(tmp_path):
            assert (theirs / "half").is_file()
        os.kill(process.pid, signal.SIGKILL)
    with staging(tmp_path):
        assert not theirs.exists()


def test_a_folder_that_was_never_locked_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".spacrd-abcd1234" / "inside").mkdir(parents=True)
    with staging(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_other_names_and_links_stay(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter").touch()
    folder = tmp_path / "folder"
    (folder / ".spacrd-my_own_notes").mkdir(parents=True)
    (folder / ".spacrd-abcd1234").symlink_to(home)
    with staging(folder):
        pass
    assert {path.name for path in folder.iterdir()} == {".spacrd-my_own_notes", ".spacrd-abcd1234"}
    assert (home / "letter").is_file()


def test_no_folder_stays_where_there_is_no_room_for_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileLock, "acquire", no_room)
    with pytest.raises(OSError, match="No space left"), staging(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_processes_that_look_for_abandoned_folders_do_not_disturb_one_that_makes_them(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLEAN, str(tmp_path)]
    with subprocess.Popen(command) as first, subprocess.Popen(command) as second:
        try:
            for number in range(1000):
                with staging(tmp_path) as folder:
                    (folder / "number").write_text(str(number))
                    assert (folder / "number").read_text() == str(number)
        finally:
            first.kill()
            second.kill()
