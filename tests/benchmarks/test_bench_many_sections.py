"""A cohort of many Visium sections through ingest, embed, detect and its report, with two worker processes.

``SPACRD_SECTIONS=500 pytest -m benchmarks -s tests/benchmarks/test_bench_many_sections.py`` prints, for each step,
seconds a section and the memory of the command and of its workers in the first and in the last quarter of the sections.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from benchmarks.many_sections import write_cohort
from benchmarks.measure import show
from browsing import CHROMIUM, start_browser
from pytest_benchmark.fixture import BenchmarkFixture

pytestmark = pytest.mark.benchmarks

SECTIONS = int(os.environ.get("SPACRD_SECTIONS", "20"))
WORKERS = 2
COMMAND = (sys.executable, "-c", "from spacrd_cli.main import main; main()")
TWO_WORKERS = ("--executor", "processes", "--workers", str(WORKERS))
SAMPLE_S = 0.2
STARTED_MB = 200.0  # of a worker that has imported its libraries
MAX_GROWTH, MARGIN_MB = 1.25, 150.0
MAX_SECONDS_TO_OPEN = 5.0


@dataclass
class Memory:
    """Memory of a command and of its largest worker, in MB, at moments when a worker has started."""

    parent: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)

    def sample(self, pid: int) -> None:
        """Add the memory of a running command; of one that has just ended, nothing."""
        try:
            parent, workers = resident_mb(pid), [resident_mb(child) for child in descendants(pid)]
        except (OSError, LookupError):
            return
        if max(workers, default=0.0) > STARTED_MB:
            self.parent.append(parent)
            self.worker.append(max(workers))

    def quarters(self) -> dict[str, tuple[float, float]]:
        """Return the peaks of the first and of the last quarter of the run."""
        series = {"command": self.parent, "worker": self.worker}
        parts = {name: np.array_split(np.array(values), 4) for name, values in series.items()}
        return {name: (float(part[0].max()), float(part[-1].max())) for name, part in parts.items()}


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1e3


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have started, as workers are by their server."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for file in files for child in file.read_text(encoding="utf-8").split()]
    return [*children, *(each for child in children for each in descendants(child))]


def run(*arguments: str) -> tuple[float, Memory]:
    """Run a command; return its seconds and its memory."""
    started, memory = time.perf_counter(), Memory()
    with subprocess.Popen([*COMMAND, *arguments, "-q"], stdout=subprocess.DEVNULL) as command:
        while command.poll() is None:
            memory.sample(command.pid)
            time.sleep(SAMPLE_S)
    assert command.returncode == 0
    return time.perf_counter() - started, memory


def size_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def seconds_to_open(report: Path) -> float:
    """Return the seconds until a browser shows the last row of an index, and has sorted it."""
    with start_browser() as browser:
        page = browser.new_page()
        started = time.perf_counter()
        page.goto(report.as_uri())
        page.get_by_role("button", name="Cancer spots").click()
        assert page.locator("#sections tbody tr").count() == SECTIONS
        return time.perf_counter() - started


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of the cohort; SPACRD_COHORT names a folder where it is kept for another run."""
    kept = os.environ.get("SPACRD_COHORT")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("cohort")
    return write_cohort(folder, SECTIONS)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the report in")
def test_time_grows_with_the_sections_and_memory_does_not(
    benchmark: BenchmarkFixture, cohort: Path, tmp_path: Path
) -> None:
    store, results = tmp_path / "store", tmp_path / "results"
    steps = {
        "ingest": ("ingest", str(store), "--cohort", str(cohort), *TWO_WORKERS),
        "embed": ("embed", str(store), "--encoder", "stain", *TWO_WORKERS),
        "detect": ("detect", str(store), "prior", "-o", str(results), *TWO_WORKERS),
    }
    grown = []
    for step, arguments in steps.items():
        seconds, memory = run(*arguments)
        metrics = {"s a section": seconds / SECTIONS}
        for name, (first, last) in memory.quarters().items():
            metrics |= {f"{name} MB first": first, f"last {name}": last}
            if last > MAX_GROWTH * first + MARGIN_MB:
                grown.append(f"{step}: {name} {first:.0f} to {last:.0f} MB")
        show(benchmark, f"{step} of {SECTIONS} sections", metrics)
    opened = benchmark.pedantic(lambda: seconds_to_open(results / "report.html"), rounds=1)
    sizes = {"given": size_mb(cohort.parent), "store": size_mb(store), "results": size_mb(results)}
    index = {"index MB": (results / "report.html").stat().st_size / 1e6, "s to open": opened}
    show(benchmark, "MB a section", {name: megabytes / SECTIONS for name, megabytes in sizes.items()} | index)
    shutil.rmtree(store)
    assert not grown
    assert opened < MAX_SECONDS_TO_OPEN
