"""Send a signal to a command at a chosen moment, and ask what it must not have left behind."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIG_DFL, SIG_IGN, Signals, getsignal, signal

from faults.signals_cases import Case, temporary
from faults.signals_groups import is_tracker, living
from spacrd_cli.interruption import INTERRUPTED, PATIENCE_S
from spacrd_cli.main import run
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

COMMAND = (sys.executable, "-c", "from spacrd_cli.main import main; main()")
PYTHON_STARTS_S = 0.2  # Python handles Ctrl-C before it runs a line of ours, and then shows where it was
LONGEST_S = 120.0
GONE_S = 5.0  # after the command; on a machine that has other work, too
SHOWN_BY_MISTAKE = (
    *("Traceback", "ignored", "Error in", "Fatal", "Warning", "resource_tracker"),
    *("Task was destroyed", "never awaited", "Aborted", "core dumped"),
)


@dataclass(frozen=True)
class Shot:
    """A signal, when it is sent, as a share of the computing time of the command, and to whom; and again later."""

    number: Signals
    share: float
    to_group: bool = False
    again_after_s: float | None = None


@dataclass
class Trial:
    """What became of a command that got a signal. ``ended_s`` and ``gone_s`` count from the signal."""

    case: Case
    shot: Shot
    code: int = 0
    stdout: str = ""
    stderr: str = ""
    was_late: bool = False
    ended_s: float = 0.0
    workers_gone_s: float = 0.0
    faults: list[str] = field(default_factory=list)


def computing_time(case: Case, folder: Path) -> float:
    """Run a command without a signal and return the seconds that all its processes compute."""
    process = _start(case, folder)
    most: dict[int, float] = {}
    while process.poll() is None:
        most |= living(process.pid)
        time.sleep(0.01)
    assert process.returncode == 0, (folder / "stderr").read_text()
    return sum(most.values())


def send(case: Case, shot: Shot, folder: Path, seconds: float) -> Trial:
    """Start a command that computes for some seconds, send it a signal, and look at what is left."""
    trial = Trial(case, shot)
    process = _start(case, folder)
    moment = PYTHON_STARTS_S + shot.share * max(seconds - PYTHON_STARTS_S, 0)
    most: dict[int, float] = {}
    while process.poll() is None and sum(most.values()) < moment:
        most |= living(process.pid)
        time.sleep(0.02)
    trial.was_late = process.poll() is not None
    sent = time.monotonic()
    _send(process, shot)
    _wait(process, trial, sent)
    trial.code = process.returncode
    trial.stdout, trial.stderr = ((folder / name).read_text() for name in ("stdout", "stderr"))
    trial.faults += [*_faults(trial), *_remains(trial, folder)]
    return trial


def finish(trial: Trial, folder: Path) -> None:
    """Verify the stores and run the command again, in this process."""
    trial.faults += _damage(folder)
    here = Path.cwd()
    os.chdir(folder)
    try:
        code = run(list(trial.case.words))
    finally:
        os.chdir(here)
    if code:
        trial.faults.append(f"the second run ended with {code}")
    trial.faults += [*_damage(folder), *(f"left after the second run: {path}" for path in folder.rglob(".spacrd-*"))]


def _damage(folder: Path) -> list[str]:
    """What is wrong in the stores of a folder."""
    stores = [manifest.parent for manifest in folder.glob("*/spacrd.json")]
    return [f"{store.name}: {finding}" for store in stores for finding in verify(SpotStore(store))]


def _start(case: Case, folder: Path) -> subprocess.Popen[bytes]:
    for number in (Signals.SIGINT, Signals.SIGTERM, Signals.SIGHUP):
        if getsignal(number) == SIG_IGN:  # of a background job, and its children would inherit it
            signal(number, SIG_DFL)
    environment = os.environ | {"TMPDIR": str(folder / "tmp")}
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        line = [*COMMAND, *case.arguments]
        return subprocess.Popen(line, cwd=folder, env=environment, stdout=stdout, stderr=stderr, start_new_session=True)


def _send(process: subprocess.Popen[bytes], shot: Shot) -> None:
    if shot.to_group:
        try:
            os.killpg(process.pid, shot.number)
        except ProcessLookupError:
            return
    else:
        process.send_signal(shot.number)


def _wait(process: subprocess.Popen[bytes], trial: Trial, sent: float) -> None:
    """Wait for the end of a command and of its workers."""
    again = trial.shot.again_after_s
    while (now := time.monotonic() - sent) < LONGEST_S:
        if _workers(process):
            trial.workers_gone_s = now
        if process.poll() is not None:
            break
        if again is not None and now >= again:
            _send(process, trial.shot)
            again = None
        time.sleep(0.01)
    else:
        trial.faults.append(f"it did not end within {LONGEST_S:.0f} s")
        os.killpg(process.pid, Signals.SIGKILL)
        process.wait()
    trial.ended_s = time.monotonic() - sent
    end = time.monotonic() + GONE_S
    while (left := living(process.pid)) and time.monotonic() < end:
        if _workers(process):
            trial.workers_gone_s = time.monotonic() - sent
        time.sleep(0.02)
    if left:
        names = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")[:200] for pid in left]
        trial.faults.append(f"processes are left: {names}")
        os.killpg(process.pid, Signals.SIGKILL)


def _workers(process: subprocess.Popen[bytes]) -> list[int]:
    return [pid for pid in living(process.pid) if pid != process.pid and not is_tracker(pid)]


def _faults(trial: Trial) -> list[str]:
    """What is wrong with the exit code and the output."""
    expected = {0} if trial.was_late else {0, 128 + trial.shot.number}
    faults = [] if trial.code in expected else [f"exit code {trial.code}"]
    shown = trial.stdout + trial.stderr
    faults += [f"the output has '{word}'" for word in SHOWN_BY_MISTAKE if word in shown]
    messages = [line for line in trial.stderr.splitlines() if INTERRUPTED in line]
    if len(messages) != bool(trial.code):
        faults.append(f"{len(messages)} messages")
    elif messages and trial.stderr.splitlines()[-1] != messages[0]:
        faults.append("the message is not the last line")
    return faults


def _remains(trial: Trial, folder: Path) -> list[str]:
    """Temporary files that are left, unless clearing them was cut short; those of killed workers may stay."""
    if trial.shot.again_after_s is not None or trial.ended_s > PATIENCE_S:
        return []
    return [f"left: {path}" for path in ((folder / "tmp").iterdir() if trial.case.workers else temporary(folder))]
