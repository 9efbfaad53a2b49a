"""Run commands in children of the driver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KILLED = {-signal.SIGKILL, -signal.SIGPROF}
TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it did to files: the number of changes in its folder, and the paths elsewhere."""

    code: int
    output: str
    changes: int
    outside: list[str]
    cpu_seconds: float
    seconds: float
    left_processes: int

    @property
    def killed(self) -> bool:
        """Whether it did not come to its end."""
        return self.code in KILLED


@dataclass(frozen=True)
class Driver:
    """The driver, and the folders besides its own that a command may write to."""

    process: subprocess.Popen[str]
    allowed: tuple[str, ...]

    def run(self, folder: Path, arguments: str, **kill: Any) -> Ended:
        """Run a command in a folder.

        ``kill`` is a ``moment``, with ``vanishing``; or ``cpu_seconds``; or ``seconds`` and the ``victim``.
        """
        return self.together(folder, [[arguments]], **kill)[0][0]

    def together(self, folder: Path, runs: Sequence[Sequence[str]], **kill: Any) -> list[list[Ended]]:
        """Run sequences of commands at once."""
        watch = {name: kill.pop(name) for name in ("moment", "vanishing") if name in kill}
        shared: dict[str, Any] = {"folder": str(folder), "watch": {"allowed": self.allowed, **watch}, **kill}
        requests = [[{"arguments": command.split(), **shared} for command in run] for run in runs]
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(requests)}\n")
        self.process.stdin.flush()
        return [[Ended(**command) for command in run] for run in json.loads(self.process.stdout.readline())]


@contextmanager
def driver(environment: Mapping[str, str], *allowed: str) -> Iterator[Driver]:
    """Start the driver, with settings that libraries read when they are imported."""
    settings = {"OMP_NUM_THREADS": "1", "COLUMNS": "200", **environment}
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "faults.driver"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, **settings, "PYTHONPATH": path}, **pipes) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Driver(process, allowed)
        assert process.stdin
        process.stdin.close()
