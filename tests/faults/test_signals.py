"""A signal ends a command as Ctrl-C does: a sentence, the exit code of the signal, and nothing that is left behind."""

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM
from statistics import median

import pytest

from faults.signals_cases import CASES, Case, prepare, write_folder
from faults.signals_trial import COMMAND, Shot, Trial, computing_time, finish, send
from spacrd_cli.main import run

MEANS = (
    (SIGTERM, False, None),
    (SIGTERM, True, None),
    (SIGINT, True, None),
    (SIGTERM, True, 0.3),
    (SIGINT, True, 1.5),
    (SIGHUP, True, None),
    (SIGINT, False, None),
)

# a command, how long it computes before the signal, and the signal
SOME = (
    ("version", 0.0, Shot(SIGINT, 0, to_group=True)),
    ("store ls", 0.3, Shot(SIGTERM, 1)),
    ("train", 5.0, Shot(SIGTERM, 1, to_group=True)),
    ("embed in one process", 3.0, Shot(SIGHUP, 1, to_group=True)),
)


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("s"))


def trials(case: Case, like: Path, folder: Path, shots: Iterator[Shot]) -> Iterator[Trial]:
    """Yield what becomes of a command at several moments."""
    prepare(folder / "uninterrupted", like)
    seconds = computing_time(case, folder / "uninterrupted")
    for number, shot in enumerate(shots):
        prepare(folder / str(number), like)
        trial = send(case, shot, folder / str(number), seconds)
        finish(trial, folder / str(number))
        yield trial


def described(trials: list[Trial]) -> str:
    """The faults of trials, and what the commands printed."""
    return "\n".join(f"{trial.case.name}, {trial.shot}: {trial.faults}\n{trial.stderr}" for trial in trials)


def moments(count: int) -> Iterator[Shot]:
    """Yield signals from the first moment to the last one, most of them early."""
    for number, (signal, to_group, again) in zip(range(count), cycle(MEANS), strict=False):
        yield Shot(signal, 1.05 * (number / (count - 1)) ** 1.5, to_group, again)


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(
    ("name", "seconds", "shot"), SOME, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_a_signal_at_some_moments_leaves_nothing(
    name: str, seconds: float, shot: Shot, like: Path, tmp_path: Path
) -> None:
    case = next(case for case in CASES if case.name == name)
    prepare(tmp_path / "f", like)
    trial = send(case, shot, tmp_path / "f", seconds)
    finish(trial, tmp_path / "f")
    assert not trial.faults, described([trial])


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_signal_at_any_moment_leaves_nothing(
    case: Case, like: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = list(trials(case, like, tmp_path, moments(case.signals)))
    faulty = [trial for trial in done if trial.faults]
    interrupted = [trial for trial in done if trial.code]
    ended, gone = zip(*((trial.ended_s, trial.workers_gone_s) for trial in interrupted), strict=True)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{case.name}: {len(done)} signals, {len(interrupted)} interrupted, {len(faulty)} with faults; ended"
            f" after {median(ended):.2f} s (at most {max(ended):.2f}), workers gone after at most {max(gone):.2f} s "
        )
    assert not faulty, described(faulty)


@pytest.mark.slow
def test_there_are_one_hundred_and_fifty_signals() -> None:
    assert sum(case.signals for case in CASES) >= 150


@pytest.mark.slow
def test_an_interrupted_demo_is_finished_by_the_same_command(tmp_path: Path) -> None:
    line = [*COMMAND, "demo", str(tmp_path / "demo")]
    for made in ("store", "detector"):
        process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
        while not (tmp_path / "demo" / made).exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(SIGTERM)
        assert process.wait(60) == 143
    assert run(line[len(COMMAND) :]) == 0
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["cohort", "detector", "results", "store"]
