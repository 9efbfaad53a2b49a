"""Kill a command at a chosen file operation, as a power cut would."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

COMMAND = """
import os, signal, sys
from pathlib import Path
from spacrd_cli.main import run
store, moment, arguments = Path(sys.argv[1]).absolute(), int(sys.argv[2]), sys.argv[3:]
changes = {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.utime"}
count = 0

def on_event(event, details):
    global count
    writes = event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (writes or event in changes) and str(store) in os.path.abspath(os.fsdecode(details[0])):
        count += 1
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)

def fsdecodable(event, details):
    if details and isinstance(details[0], (str, bytes, os.PathLike)):
        on_event(event, details)

sys.addaudithook(fsdecodable)
code = run(arguments)
print(count, file=sys.stderr)
sys.exit(code)
"""


def run_until(moment: int, store: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command, killed before its change of the store with this number; 0: to its end."""
    line = [sys.executable, "-c", COMMAND, str(store), str(moment), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def changes_of(store: Path, arguments: list[str]) -> int:
    """Run a command to its end, and return the number of its changes of the store."""
    done = run_until(0, store, arguments)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1])


def moments(changes: int, count: int) -> Iterator[int]:
    """Yield some of the moments of a command, the last few among them: the manifest is replaced there."""
    early = range(1, max(changes - 4, 1), max(changes // max(count - 4, 1), 1))
    yield from sorted({*early, *range(max(changes - 3, 1), changes + 1)})
