"""The folder that every command begins from: sections, stores, detectors and results, as commands have made them."""

import shutil
from pathlib import Path

import numpy as np
from bundles.st import PITCH_UM, StSection
from bundles.tissue import Pose, Tissue

from faults.commands import Driver

SECTIONS = ("S1", "S2", "S3")
COHORT_HEADER = "path,name,patient,labels,positive"
THIRD = "input/S3.tsv --name S3 --patient P2 --labels input/S3.csv --positive tumor -q"
LINEAR = "--encoder stain --head linear --seeds 1 -q"
INGEST = "ingest store --cohort two.csv -q"
COMMANDS = (
    "embed store --encoder stain -q",
    f"train store -o det {LINEAR}",
    f"train store -o other {LINEAR} --no-genes --set calibrate=false",
    "detect store det --section S1 -o out -q",
    "detect store det --section S2 -q",
    "report store det -o report.html -q",
)


def make_workshop(folder: Path, driver: Driver) -> Path:
    """Make the folder: two sections that are embedded and called, the same without, and the files of a third."""
    (folder / "tmp").mkdir(parents=True)
    rows = [write_section(folder / "input", name, number) for number, name in enumerate(SECTIONS)]
    (folder / "two.csv").write_text("\n".join([COHORT_HEADER, *rows[:2]]) + "\n")
    _run(folder, INGEST, driver)
    shutil.copytree(folder / "store", folder / "plain")
    for command in COMMANDS:
        _run(folder, command, driver)
    return folder


def copy_of(folder: Path, place: Path) -> Path:
    """Return a fresh copy of a folder."""
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(folder, place, symlinks=True))


def _run(folder: Path, command: str, driver: Driver) -> None:
    ended = driver.run(folder, command)
    assert ended.code == 0, f"{command}: {ended.output}"


def write_section(folder: Path, name: str, number: int) -> str:
    """Write a small section with its labels, and return its row of the cohort file."""
    left = 300.0 + 100 * number
    tissue = Tissue(size_um=(2000.0, 1600.0), square_um=(left, 300.0, left + 900, 1100.0))
    path = StSection(tissue, Pose(um_per_px=4.0), name).write(folder)
    array = np.stack(np.meshgrid(*(np.arange(1, side // PITCH_UM) for side in tissue.size_um)), axis=-1).reshape(-1, 2)
    words = np.where(tissue.dark(array * PITCH_UM), "tumor", "normal")
    lines = [f"{x:.0f}x{y:.0f},{word}" for (x, y), word in zip(array, words, strict=True)]
    (folder / f"{name}.csv").write_text("\n".join(["spot,label", *lines]) + "\n")
    return f"input/{path.name},{name},P{number},input/{name}.csv,tumor"
