"""Every step leaves the same bytes on every executor, also when a worker is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from every_step import all_steps, left_behind

from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.store.store import SpotStore


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo_cohort(tmp_path_factory.mktemp("cohort"), platforms=("st", "st", "st"))


@pytest.fixture(scope="module")
def serial(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What all steps leave behind in one process."""
    return left_behind(all_steps(tmp_path_factory.mktemp("serial"), cohort, "--executor", "serial"))


@pytest.mark.slow  # tests/same has processes in its short setting
def test_processes_leave_the_bytes_of_one_process(serial: dict[str, object], cohort: Path, tmp_path: Path) -> None:
    folder = all_steps(tmp_path, cohort, "--executor", "processes", "--workers", "2")
    assert left_behind(folder) == serial
    assert active_children() == []


def start(*line: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", *line], stderr=subprocess.PIPE, text=True, cwd="/")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """The address of a scheduler with two workers that run in another folder, and the processes of the workers."""
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    file = tmp_path / "scheduler.json"
    options = ["--scheduler-file", str(file)]
    local = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    scheduler = start("distributed.cli.dask_scheduler", *local, *options)
    worker = ["distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--no-nanny", *options]
    workers = [start(*worker), start(*worker)]
    assert scheduler.stderr
    address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
    yield address, workers
    for process in (*workers, scheduler):
        process.terminate()
        process.communicate()


def kill_at_first_section(store: Path, victim: subprocess.Popen[str], until: list[Any]) -> None:
    """Kill a worker when the first section is in the store."""
    while not until and not SpotStore(store).entries:
        pass
    os.kill(victim.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_cluster_of_processes_that_loses_a_worker_leaves_the_bytes_of_one_process(
    serial: dict[str, object], cohort: Path, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[str]]]
) -> None:
    address, workers = cluster
    ended: list[Any] = []
    killer = Thread(target=kill_at_first_section, args=(tmp_path / "store", workers[0], ended))
    killer.start()
    try:
        folder = all_steps(tmp_path, cohort, "--executor", "dask", "--scheduler", address)
    finally:
        ended.append(True)
        killer.join()
    assert left_behind(folder) == serial
    assert workers[0].wait(10) == -signal.SIGKILL
