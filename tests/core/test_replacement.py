"""Replacing a folder whole: killed before any of its steps, by two processes at once, and while others read."""

import subprocess
import sys
from pathlib import Path

import pytest

from spacrd_core.replacement import move_into_place, read_whole, replace_folder, replace_text, restore_folder

NAMES = ("config.json", "model.safetensors", "README.md")
WAYS = {"in one step": "", "in several steps": "replacement._exchange = lambda first, second: False"}

KILLED = """
import os, signal, sys
from pathlib import Path
from spacrd_core import replacement
{way}
folder, names = Path(sys.argv[1]) / "det", {names}

def killed_before(moment):
    if child := os.fork():
        return os.waitpid(child, 0)[1] != 0
    changes, count = {{"os.rename", "os.mkdir", "os.rmdir", "os.remove"}}, 0
    def on_event(event, details):
        nonlocal count
        writes = event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR)
        if event in changes or writes:
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(on_event)
    replacement.replace_folder(folder, {{name: b"new" for name in names}})
    os._exit(0)

moment = 1
replacement.replace_folder(folder, {{name: b"old" for name in names}})
while killed_before(moment):
    replacement.restore_folder(folder)
    contents = {{(folder / name).read_bytes() for name in names}}
    assert contents in ({{b"old"}}, {{b"new"}}), (moment, contents)
    replacement.replace_folder(folder, {{name: b"old" for name in names}})
    beside = [path.name for path in folder.parent.iterdir()]
    assert beside == ["det"], (moment, beside)
    moment += 1
print(moment)
"""

REPLACING = """
import sys
from pathlib import Path
from spacrd_core import replacement
{way}
for number in range(40):
    replacement.replace_folder(Path(sys.argv[1]), {{name: sys.argv[2].encode() * 9 for name in {names}}})
"""


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_process_killed_before_any_step_leaves_the_old_or_the_new_folder_and_the_next_leaves_nothing_else(
    way: str, tmp_path: Path
) -> None:
    with python(KILLED.format(way=WAYS[way], names=NAMES), str(tmp_path)) as process:
        moments, problem = process.communicate()
    assert process.returncode == 0, problem
    assert int(moments) > 10


@pytest.mark.parametrize("way", WAYS)
def test_of_two_processes_that_replace_a_folder_at_once_none_fails_and_readers_find_one_of_them(
    way: str, tmp_path: Path
) -> None:
    folder = tmp_path / "det"
    replace_folder(folder, dict.fromkeys(NAMES, b"0" * 9))
    code = REPLACING.format(way=WAYS[way], names=NAMES)

    def read() -> set[bytes]:
        return {(folder / name).read_bytes() for name in NAMES}

    with python(code, str(folder), "1") as first, python(code, str(folder), "2") as second:
        seen: set[bytes] = set()
        while first.poll() is None or second.poll() is None:
            (contents,) = read_whole(folder, read)
            seen.add(contents)
        problems = first.communicate()[1] + second.communicate()[1]
    assert not problems
    assert seen >= {b"1" * 9} or seen >= {b"2" * 9}
    assert [path.name for path in tmp_path.iterdir()] == ["det"]


def test_what_earlier_versions_left_is_removed_and_what_a_user_left_stays(tmp_path: Path) -> None:
    folder = tmp_path / "det"
    for name in ("det", ".det.old", f".det.tmp-{'0f' * 16}", ".det.tmp-mine", "det.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("old")
    replace_folder(folder, {"config.json": b"new"})
    assert {path.name for path in tmp_path.iterdir()} == {"det", ".det.tmp-mine", "det.old"}
    assert (folder / "config.json").read_text() == "new"


def test_a_reader_restores_a_folder_whose_replacement_ended_between_two_renames(tmp_path: Path) -> None:
    (tmp_path / ".det.old").mkdir()
    (tmp_path / ".det.old" / "config.json").write_text("old")
    restore_folder(tmp_path / "det")
    assert (tmp_path / "det" / "config.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["det"]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    for name in ("det", "text"):
        (tmp_path / name).symlink_to(tmp_path / "scratch" / name)
    replace_folder(tmp_path / "det", {"config.json": b"1"})
    replace_folder(tmp_path / "det", {"config.json": b"2"})
    replace_text(tmp_path / "text", "3")
    assert (tmp_path / "det").is_symlink()
    assert (tmp_path / "scratch" / "det" / "config.json").read_text() == "2"
    assert (tmp_path / "text").is_symlink()
    assert (tmp_path / "scratch" / "text").read_text() == "3"


@pytest.mark.parametrize(("new", "old"), [("file", "folder"), ("folder", "file"), ("folder", "folder")])
def test_a_file_and_a_folder_take_each_others_place(new: str, old: str, tmp_path: Path) -> None:
    for name, kind in (("new", new), ("old", old)):
        path = tmp_path / name
        if kind == "folder":
            path.mkdir()
            path = path / "inside"
        path.write_text(name)
    move_into_place(tmp_path / "new", tmp_path / "old")
    path = tmp_path / "old"
    assert (path / "inside" if new == "folder" else path).read_text() == "new"


def test_an_error_of_a_folder_that_nobody_replaced_is_raised(tmp_path: Path) -> None:
    def read() -> None:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        read_whole(tmp_path, read)
