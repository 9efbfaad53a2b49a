"""A process that has loaded SpaCRD and forks a child for every command, so that a run costs its work and no imports.

It is a program of its own, because a process with threads must not fork: this one computes nothing. It reads one JSON
request a line: lists of runs, which begin together, and each of which is a sequence of commands. It answers with how
every command ended.
"""

import atexit
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from faults.loading import load_everything
from faults.watch import Watch

MOST_SECONDS = 300.0  # of any command; it is killed then

Request = dict[str, Any]


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    load_everything()
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        json.dump(_run_together(json.loads(line)), answers)
        answers.write("\n")
        answers.flush()


def _run_together(runs: list[list[Request]]) -> list[list[Request]]:
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    children = [os.fork() or _run_in_sequence(run, folder / str(number)) for number, run in enumerate(runs)]
    for child in children:
        os.waitpid(child, 0)
    ended = [json.loads((folder / str(number)).read_text()) for number in range(len(runs))]
    for name in {name for run in ended for command in run for name in command.pop("loaded")}:
        with suppress(ImportError):
            importlib.import_module(name)  # the next child has it from the beginning
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return ended


def _run_in_sequence(requests: list[Request], file: Path) -> NoReturn:
    file.write_text(json.dumps([_run(request, file) for request in requests]))
    os._exit(0)


def _run(request: Request, file: Path) -> Request:
    """Run a command in a child to its end or to its kill."""
    notes = {name: file.with_suffix(f".{name}") for name in ("output", "watch", "loaded")}
    began = time.monotonic()
    child = os.fork() or _be_command(request, notes)
    code, usage = _wait(child, request, began)
    seconds = time.monotonic() - began
    changes = notes["watch"].read_text().splitlines()
    return {
        "code": code,
        "output": notes["output"].read_text(errors="replace"),
        "changes": sum(line == "change" for line in changes),
        "outside": [line for line in changes if line != "change"],
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "seconds": seconds,
        "left_processes": _left_processes(child),
        "loaded": notes["loaded"].read_text().split() if notes["loaded"].exists() else [],
    }


def _wait(child: int, request: Request, began: float) -> tuple[int, Any]:
    victim, moment = request.get("victim"), request.get("seconds", MOST_SECONDS)
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status), usage
        if time.monotonic() - began > (moment if victim else MOST_SECONDS):
            victims = _workers(child) if victim == "worker" else [child]
            for process in victims[:1]:
                os.kill(process, signal.SIGKILL)
                victim = None
        time.sleep(0.003)


def _be_command(request: Request, notes: dict[str, Path]) -> NoReturn:
    os.setpgid(0, 0)
    os.chdir(request["folder"])
    descriptor = os.open(notes["output"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ["TMPDIR"] = str(Path(request["folder"]) / "tmp")
    tempfile.tempdir = None
    loaded = set(sys.modules)
    Watch(Path(request["folder"]), notes["watch"], **request["watch"]).begin()
    from spacrd_cli.main import run  # noqa: PLC0415 - the driver has loaded it

    signal.setitimer(signal.ITIMER_PROF, request.get("cpu_seconds", 0))  # ends the process without its knowledge
    code = run(request["arguments"])
    signal.setitimer(signal.ITIMER_PROF, 0)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    new = (name for name in set(sys.modules) - loaded if sys.modules[name].__spec__)
    os.write(os.open(notes["loaded"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "\n".join(new).encode())
    os._exit(code)


def _workers(command: int) -> list[int]:
    """Return the processes that the server of a command's workers has forked."""
    parents = _processes_of(command)
    servers = [process for process, parent in parents.items() if parent == command]
    return [process for process, parent in parents.items() if parent in servers]


def _left_processes(command: int) -> int:
    """Return how many processes of a command are there some seconds after its end."""
    end = time.monotonic() + 5
    while (left := len(_processes_of(command))) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def _processes_of(group: int) -> dict[int, int]:
    """Return the living processes of a group, with their parents."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, of_group, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(of_group) == group and state != "Z":
            found[int(folder.name)] = int(parent)
    return found


if __name__ == "__main__":
    main()
