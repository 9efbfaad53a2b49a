"""The folder that every command begins from: sections, a store, a detector and files, as commands have made them."""

import re
import shutil
from pathlib import Path

from faults.disk.driver import Driver
from faults.workshop import write_section

COHORT = "path,name,patient,labels,positive"
LINEAR = "--encoder stain --head linear --seeds 1 -q"
MAKE = (
    "ingest store --cohort cohort.csv -q",
    "embed store --encoder stain -q",
    f"train store -o det {LINEAR}",
    "detect store det -o out -q",
    "report store det -o report.html -q",
)
FORMATS = ("h5ad", "csv", "genes", "geojson", "png", "spatialdata")
COMMANDS = {  # each with the files and folders that it writes
    "ingest": ("ingest store input/S4.tsv --patient P9 --labels input/S4.csv --positive tumor -q", "store"),
    "ingest --replace": ("ingest store --cohort cohort.csv --mpp 2 --replace -q", "store"),
    "embed": ("embed store --encoder stain --again -q", "store"),
    "label": ("store label store S3 --labels input/S3.csv --positive normal -q", "store"),
    "rm": ("store rm store S3 -q", "store"),
    "gc": ("store gc store --all", "store"),
    "train": (f"train store -o det --replace {LINEAR} --no-genes", "det"),
    "detect": ("detect store det -q --threshold 0.4", "store"),
    "detect -o": ("detect store det -o out -q --threshold 0.4", "store out"),
    "call": ("call input/S1.tsv -o out --detector det --name S1 -q --set threshold=0.4", "out"),
    "call --keep": ("call input/S4.tsv -o new --detector det --keep store -q", "store new"),
    "report": ("report store det -o report.html -q --section S1", "report.html"),
    "plot": ("plot store -o out -q", "out"),
    "evaluate -o": (
        f"evaluate store -o evaluation.json --executor serial {LINEAR.replace('--seeds 1 ', '')}",
        "evaluation.json",
    ),
    **{f"export {name}": (f"export store -o exports --format {name} -q", "exports") for name in FORMATS},
    **{f"export {name} over": (f"export store -o out --format {name} -q", "out") for name in ("h5ad", "geojson")},
}
CLOCK = re.compile(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+\d\d:?\d\d| UTC)?")
SUM = re.compile(rb'"sha256": "[0-9a-f]{64}"')


def make_ground(folder: Path, driver: Driver) -> None:
    """Make the folder: three sections that are embedded and called, the files of a fourth, and what was written."""
    folder.mkdir()
    rows = [write_section(folder / "input", f"S{number}", number) for number in (1, 2, 3, 4)]
    (folder / "cohort.csv").write_text("\n".join([COHORT, *rows[:3]]) + "\n")
    exports = [f"export store -o exports --format {name} -q" for name in FORMATS]
    for command in (*MAKE, *exports):
        ended = driver.run(folder, command)
        assert ended.code == 0, f"{command}: {ended.output}"


def copy_of(ground: Path, place: Path) -> Path:
    """Return a fresh copy of the folder, always at the same path, because a store records those of its sources."""
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(ground, place, symlinks=True))


def contents(path: Path) -> dict[str, bytes]:
    """Return the files at a path by name, with the same time in all of them."""
    if path.is_file():
        return {path.name: CLOCK.sub(b"TIME", path.read_bytes())}
    files = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}
    texts = {name: CLOCK.sub(b"TIME", file.read_bytes()) for name, file in files.items()}
    return {name: SUM.sub(b"SUM", text) if name == "manifest.json" else text for name, text in texts.items()}
