"""Pipes, sockets, devices and endless links are refused before they are opened, wherever a path is given."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from spacrd_cli.main import run
from spacrd_core.detector.load import load_detector
from spacrd_core.errors import CorruptStore, DetectorError, InputError
from spacrd_core.opening.kinds import refuse_special, refuse_special_below


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe.h5ad")
    return tmp_path / "pipe.h5ad"


@pytest.fixture
def alarm() -> Iterator[None]:
    """End a test that waits; opening a pipe waits for its writer."""

    def ring(*_: object) -> NoReturn:
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


def test_every_kind_but_files_and_folders_is_refused(tmp_path: Path, pipe: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "s"))
        for path, kind in ((pipe, "a named pipe"), (tmp_path / "s", "a socket"), (Path("/dev/zero"), "a device")):
            with pytest.raises(InputError, match=f"is {kind}, not a file"):
                refuse_special(path)
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "absent"):
        refuse_special(path)


def test_a_link_to_itself_and_a_path_with_a_nul_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(InputError, match=r"the symbolic link .* cannot be followed: Too many levels"):
        refuse_special(tmp_path / "a")
    with pytest.raises(InputError, match="is not valid"):
        refuse_special(Path("a\0b"))


def test_a_folder_with_a_pipe_somewhere_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "zarr.json").touch()
    refuse_special_below(tmp_path)
    os.mkfifo(inner / "c")
    with pytest.raises(CorruptStore, match="/a/b/c is a named pipe"):
        refuse_special_below(tmp_path, CorruptStore)


@pytest.mark.parametrize("option", ["--image", "--labels", "--region", "--alignment", "--cohort", "--config", "path"])
def test_no_option_of_ingest_waits_for_a_pipe(
    option: str, pipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], alarm: None
) -> None:
    (tmp_path / "a.tsv").write_text("\tA\tB\n1x1\t1\t2\n")
    inputs = [str(pipe)] if option == "path" else [option, str(pipe)]
    section = [] if option in {"path", "--cohort"} else [str(tmp_path / "a.tsv")]
    assert run(["ingest", str(tmp_path / "store"), *section, *inputs]) == 1
    assert "pipe.h5ad is a named pipe, not a file" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["config.json", "hub.json"])
def test_no_file_of_a_detector_is_waited_for(file: str, tmp_path: Path, alarm: None) -> None:
    (tmp_path / "detector").mkdir()
    os.mkfifo(tmp_path / "detector" / file)
    with pytest.raises(DetectorError):
        load_detector(tmp_path / "detector")


def test_a_name_that_is_no_text_is_refused_because_no_record_can_hold_it(tmp_path: Path) -> None:
    file = tmp_path / "a\udcff.csv"
    file.write_text("x")
    with pytest.raises(InputError, match=r"a\\udcff\.csv' is not text in UTF-8"):
        refuse_special(file)


def test_a_link_to_a_folder_that_it_is_in_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.zarr" / "obs").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a.zarr" / "linked").symlink_to(tmp_path / "elsewhere")
    refuse_special_below(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "obs" / "up").symlink_to("..")
    with pytest.raises(InputError, match="up is a link to a folder that it is in"):
        refuse_special_below(tmp_path / "a.zarr")
