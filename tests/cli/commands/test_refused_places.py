"""What is not SpaCRD's is not written over or into, by any command and any option that takes a place for output."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from stand_ins.detector import made_detector

from spacrd_cli.main import run
from spacrd_core.plugins import Plugins
from spacrd_core.results.files.formats import FORMATS

# places for a folder of results, a detector, a store or a file
INSIDE = (
    *("store/new", "store/sections/new", "store/../store/new", "det/new", "zarr/new", "link/new", "deep/new"),
    *("repository/.git/new", "input/slide.png/new"),
)
FULL = ("input", "full", "zarr", ".", "input/slide.png")
RESULTS = (*INSIDE, "store", "det", "zarr", "link", "repository/.git", "input/slide.png", "dangling/../store")
DETECTORS = (*INSIDE, *FULL, "store", "link", "repository")
STORES = (*INSIDE, *FULL, "det", "dangling", "repository")
FILES = (
    *(f"{place}.html" for place in INSIDE),
    *("store/spacrd.json", "link/spacrd.json", "det/config.json", "det/metrics.json", "zarr/zarr.json"),
    *("input/slide.png", "hard.png", "soft.png", "full/notes.txt", "full", "store", "det", "input/slide.png/x.html"),
)
COMMANDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "detect": ("detect store prior -o {}", RESULTS),
    "export": ("export store --format csv -o {}", RESULTS),
    "plot": ("plot store -o {}", RESULTS),
    "call": ("call input/GAIN.h5ad --um-per-px 1 --no-image -o {}", RESULTS),
    "call --keep": ("call input/GAIN.h5ad --um-per-px 1 --no-image -o new --keep {}", STORES),
    "train": ("train store --encoder none --head linear --replace -o {}", DETECTORS),
    "pull": ("pull lab/none {} --replace", DETECTORS),
    "ingest": ("ingest {} input/GAIN.h5ad --um-per-px 1 --no-image", STORES),
    "demo": ("demo {}", (*INSIDE, *FULL, "store", "det", "link")),
    "report": ("report store prior -o {}", FILES),
    "evaluate": ("evaluate store --encoder none --workers 1 -o {}", FILES),
}


@pytest.fixture(scope="module")
def workspace(aneuploid: Path, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store, a detector, and what belongs to others; tests must not change it."""
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copytree(aneuploid / "store", folder / "store")
    made_detector(plugins).save(folder / "det")
    for name in ("input", "full", "zarr", "repository/.git/objects"):
        (folder / name).mkdir(parents=True)
    shutil.copy(aneuploid / "GAIN.h5ad", folder / "input")
    texts = {"input/slide.png": "\x89PNG", "full/notes.txt": "mine", "zarr/zarr.json": "{}"}
    for name, text in {**texts, "repository/.git/HEAD": "ref: refs/heads/main"}.items():
        (folder / name).write_text(text)
    os.link(folder / "input" / "slide.png", folder / "hard.png")
    links = {"soft.png": "input/slide.png", "link": "store", "deep": "store/sections", "dangling": "nowhere"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    return folder


def _contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(folder.rglob("*"))
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in paths if path.name != "spacrd.lock"}


@pytest.mark.ci_cases("detect", "train")
@pytest.mark.parametrize("command", COMMANDS)
def test_what_belongs_to_others_is_refused_as_a_place_and_stays(
    command: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    before = _contents(workspace)
    line, places = COMMANDS[command]
    accepted = {}
    for place in places:
        code = run(line.format(place).split())
        text = capsys.readouterr().err
        if code != 1 or "error: " not in text or "bug in SpaCRD" in text or _contents(workspace) != before:
            accepted[place] = (code, text)
    assert not accepted


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_another_program_under_the_name_of_a_format_is_not_replaced(
    form: str, aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = FORMATS[form].path(tmp_path, "GAIN")
    if form == "spatialdata":
        place.mkdir()
        (place / "zarr.json").write_text("{}")
    else:
        place.write_text("of another program")
    assert run(["export", f"{aneuploid}/store", "--format", form, "--section", "GAIN", "-o", str(tmp_path)]) == 1
    assert f"{place} was not written by SpaCRD and is not replaced" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [place]


def test_results_are_not_written_into_the_store_that_is_kept(
    aneuploid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in ("kept", "kept/results", "kept/../kept"):
        options = ["--keep", f"{tmp_path}/kept", "-o", f"{tmp_path}/{output}", "--um-per-px", "1", "--no-image"]
        assert run(["call", str(aneuploid / "GAIN.h5ad"), *options]) == 1
        assert "is in the store" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_folder_that_one_is_in_is_not_replaced_by_a_detector(
    aneuploid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["train", f"{aneuploid}/store", "--encoder", "none", "--head", "linear", "-o", "."]) == 1
    assert "is the folder that you are in" in capsys.readouterr().err


def test_a_detector_is_replaced_only_on_request(
    aneuploid: Path, plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_detector(plugins).save(tmp_path / "det")
    line = ["train", f"{aneuploid}/store", "--encoder", "none", "--head", "linear", "-o", f"{tmp_path}/det"]
    assert run(line) == 1
    error = capsys.readouterr().err
    assert "contains a detector already" in error
    assert "--replace" in error
    assert run([*line, "--replace"]) == 1  # the next refusal: there are no labels
    assert "contains a detector already" not in capsys.readouterr().err
