"""Twenty sections through every step with one and with two workers, and in one process: seconds and their ratio.

``pytest -m benchmarks -s tests/benchmarks/test_bench_workers.py`` prints a line per step, on a machine with two free
cores. Each process has one thread, so that one worker does not use two cores. The sections are copies of eight real
ones, each without one spot and of a patient of its own.
"""

import csv
import gzip
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmarks

SECTIONS = 20
COMMAND = "import sys; from spacrd_cli.main import run; raise SystemExit(run(sys.argv[1:]))"
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "serial": ("--executor", "serial"),
    "1 worker": ("--executor", "processes", "--workers", "1"),
    "2 workers": ("--executor", "processes", "--workers", "2"),
}


@pytest.fixture(scope="module")
def cohort(her2st: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of the cohort."""
    folder = tmp_path_factory.mktemp("cohort")
    with (her2st / "cohort_fused.csv").open(newline="", encoding="utf-8") as stream:
        originals = list(csv.DictReader(stream))
    rows = [copy_section(her2st, folder, originals[number % len(originals)], number) for number in range(SECTIONS)]
    with (folder / "cohort.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "cohort.csv"


def copy_section(her2st: Path, folder: Path, row: Mapping[str, str], number: int) -> dict[str, str]:
    """Copy the counts of a section without one spot, and return its row."""
    name, copy = row["name"], f"{row['name']}c{number}"
    for kind in ("ST-cnts", "ST-spotfiles"):
        (folder / kind).mkdir(exist_ok=True)
    lines = gzip.decompress((her2st / row["path"]).read_bytes()).splitlines(keepends=True)
    counts = folder / "ST-cnts" / f"{copy}.tsv.gz"
    counts.write_bytes(gzip.compress(b"".join(lines[: number + 1] + lines[number + 2 :]), compresslevel=1))
    spots = next((her2st / "ST-spotfiles").glob(f"{name}_*"))
    (folder / "ST-spotfiles" / spots.name.replace(name, copy, 1)).symlink_to(spots)
    image = next((her2st / "ST-imgs" / name[0] / name).iterdir())
    labels = her2st / row["labels"]
    patient = f"P{number}"
    return {"path": str(counts), "name": copy, "patient": patient, "labels": str(labels), "image": str(image)}


def steps(cohort: Path, folder: Path) -> dict[str, list[str]]:
    """Return the command of every step."""
    store, detector, out = f"{folder}/store", f"{folder}/detector", f"{folder}/out"
    linear = ["--encoder", "stain", "--head", "linear"]
    return {
        "ingest": ["ingest", store, "--cohort", str(cohort)],
        "embed": ["embed", store, "--encoder", "stain"],
        "train": ["train", store, "-o", detector, "--encoder", "stain"],
        "evaluate": ["evaluate", store, *linear, "-o", f"{folder}/evaluation.json"],
        "detect": ["detect", store, detector],
        "detect -o": ["detect", store, detector, "-o", out],
        "export": ["export", store, "--format", "h5ad", "-o", f"{out}/export"],
    }


def seconds(command: list[str]) -> float:
    """Return the wall seconds of a command in processes of one thread."""
    started = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *command, "-q"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - started


def test_two_workers_are_faster_than_one_in_every_step(cohort: Path, tmp_path: Path) -> None:
    commands = {name: steps(cohort, tmp_path / name.replace(" ", "-")) for name in SETTINGS}
    for folder in commands:
        (tmp_path / folder.replace(" ", "-")).mkdir()
    ratios = {}
    print(f"\n{SECTIONS} sections: {', '.join(SETTINGS)} (s), ratio of one worker to two")  # noqa: T201 - benchmarks print their results
    for step in steps(cohort, tmp_path):
        times = {name: seconds([*commands[name][step], *options]) for name, options in SETTINGS.items()}
        ratios[step] = times["1 worker"] / times["2 workers"]
        print(f"{step:10} {' '.join(f'{value:7.1f}' for value in times.values())}  {ratios[step]:.2f}", flush=True)  # noqa: T201 - as above
    assert min(ratios.values()) > 1, ratios
