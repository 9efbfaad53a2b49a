"""A path that no reader recognises is told what it is and what to do."""

import shutil
from pathlib import Path

import pytest
from bundles.st import StSection
from bundles.tissue import Tissue
from bundles.visium import VisiumBundle
from PIL import Image

from spacrd_core.errors import UnrecognisedSection
from spacrd_core.ingestion.advice import advise
from spacrd_core.ingestion.recognise import recognise
from spacrd_core.plugins import Plugins

SECTION = StSection(tissue=Tissue(size_um=(1500.0, 1300.0), square_um=(300.0, 300.0, 900.0, 900.0)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs of Visium and one ST section."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("A", "B"):
        VisiumBundle(outs=True).write(folder / name)
    SECTION.write(folder / "C")
    (folder / ".hidden").mkdir()
    Image.new("RGB", (40, 30)).save(folder / "slide.jpg")
    return folder


def told(path: Path, plugins: Plugins) -> tuple[str, str]:
    with pytest.raises(UnrecognisedSection) as caught:
        recognise(path, plugins)
    return str(caught.value), caught.value.hint


def test_a_folder_of_runs_lists_them(runs: Path, plugins: Plugins) -> None:
    message, hint = told(runs, plugins)
    assert message == f"{runs} is not a section; these inside would be: A (visium), B (visium), C (st)"
    assert str(runs / "A") in hint
    assert "--cohort FILE.csv" in hint


def test_runs_two_folders_down_are_found_and_a_single_one_is_proposed(
    runs: Path, tmp_path: Path, plugins: Plugins
) -> None:
    shutil.copytree(runs / "C", tmp_path / "P1" / "C")
    message, hint = told(tmp_path, plugins)
    assert message.endswith("this inside would be one: P1/C (st)")
    assert hint == f"did you mean {tmp_path / 'P1' / 'C'}?"


@pytest.mark.slow
def test_of_many_sections_a_few_are_named(tmp_path: Path, plugins: Plugins) -> None:
    for number in range(7):
        SECTION.write(tmp_path / f"S{number}")
    assert "S4 (st) and 2 more" in told(tmp_path, plugins)[0]


@pytest.mark.parametrize("header", ["path,name,patient", "\ufeffPath;Patient", "Path\tImage scale"])
def test_a_cohort_file_is_proposed_as_such(tmp_path: Path, plugins: Plugins, header: str) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text(f"{header}\n")
    message, hint = told(file, plugins)
    assert f"{file} is a cohort file (columns path, " in message
    assert hint == f"did you mean --cohort {file}?"


def test_a_part_of_a_run_names_the_run(runs: Path, plugins: Plugins) -> None:
    outs = runs / "A" / "outs"
    for part in (outs / "spatial", outs / "spatial" / "tissue_positions.csv"):
        message, hint = told(part, plugins)
        assert message == f"{part} is not a section, but it is in one: {outs} (visium)"
        assert hint == f"did you mean {outs}?"


@pytest.mark.parametrize(
    ("name", "phrase", "remedy"),
    [
        ("GSE1_RAW.tar", "is an archive", "unpack it"),
        ("outs.tar.gz", "is an archive", "unpack it"),
        ("section.h5ad.gz", "is a compressed file", "gunzip"),
        ("cohort.xlsx", "is a workbook", "save the sheet as CSV"),
        ("section.rds", "is an object of R", "--um-per-px 1"),
        ("section.loom", "is a loom file", "AnnData"),
        ("reads_R1.fastq.gz", "is a file of sequencing reads", "Space Ranger"),
        ("regions.geojson", "is a file of annotations", "--labels"),
        ("._counts.tsv", "is a file that macOS puts beside each file", "without '._'"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path: Path, plugins: Plugins, name: str, phrase: str, remedy: str) -> None:
    (tmp_path / name).write_bytes(b"\0\1")
    message, hint = told(tmp_path / name, plugins)
    assert phrase in message
    assert remedy in hint


def test_a_slide_is_an_image_of_the_section_around_it(runs: Path) -> None:
    image = runs / "A" / "outs" / "spatial" / "tissue_hires_image.png"
    outs = runs / "A" / "outs"
    error = advise(image, lambda path: "visium" if path == outs else "", readers=["visium"])
    assert error
    assert f"{image} is a slide, not a section with counts" in str(error)
    assert error.hint == f"give {outs}, with --image {image}"
    alone = advise(runs / "slide.jpg", lambda _: "", readers=["slide"])
    assert alone
    assert "the path of its section, with --image" in alone.hint
    assert alone.hint.endswith("or --reader slide for the image alone")


def test_what_nothing_is_known_of_gets_the_reasons_of_all_readers(tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "notes.txt").write_text("nothing\n")
    with pytest.raises(ExceptionGroup, match="no reader recognises"):
        recognise(tmp_path / "notes.txt", plugins)


def test_the_current_folder_is_named_in_full(runs: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs / "A" / "outs")
    hint = told(Path("web_summary.html"), plugins)[1]
    assert hint == f"did you mean {runs / 'A' / 'outs'}?"
