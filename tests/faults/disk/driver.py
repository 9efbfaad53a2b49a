"""Run commands in children of one process that has loaded SpaCRD."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Driver:
    """The process, and the temporary folder of its commands, which is not in the folder that they write to."""

    process: subprocess.Popen[str]
    temporary: Path

    def run(
        self,
        folder: Path,
        arguments: str,
        *,
        file_bytes: int | None = None,
        room_vanishes: bool = False,
        without_right: bool = False,
    ) -> Ended:
        """Run a command in a folder."""
        request: dict[str, Any] = {"folder": str(folder), "arguments": arguments.split(), "file_bytes": file_bytes}
        request |= {"room_vanishes": room_vanishes, "without_right": without_right, "temporary": str(self.temporary)}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(request)}\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))


@contextmanager
def driver(temporary: Path) -> Iterator[Driver]:
    """Start the process."""
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "300", "PYTHONPATH": path}
    settings |= {"HF_HOME": str(temporary / "hub"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "faults.disk.child"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, **settings}, **pipes) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Driver(process, temporary)
        assert process.stdin
        process.stdin.close()
