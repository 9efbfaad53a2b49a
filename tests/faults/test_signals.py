"""A signal ends a command as Ctrl-C does: a sentence, the exit code of the signal, and nothing that is left behind."""

import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM
from statistics import median

import pytest

from faults.signals_cases import CASES, Case, prepare, write_folder
from faults.signals_trial import Shot, Trial, computing_time, finish, send

SHOTS = 16  # at each command in the full setting
MEANS = (
    (SIGTERM, False, None),
    (SIGTERM, True, None),
    (SIGINT, True, None),
    (SIGTERM, True, 0.3),
    (SIGINT, True, 1.5),
    (SIGHUP, True, None),
    (SIGINT, False, None),
)


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("s"))


def trials(case: Case, like: Path, folder: Path, shots: Iterator[Shot]) -> Iterator[Trial]:
    """Yield what becomes of a command at several moments."""
    prepare(case, folder / "uninterrupted", like)
    seconds = computing_time(case, folder / "uninterrupted")
    for number, shot in enumerate(shots):
        prepare(case, folder / str(number), like)
        trial = send(case, shot, folder / str(number), seconds)
        finish(trial, folder / str(number))
        yield trial


def described(trials: list[Trial]) -> str:
    """The faults of trials, and what the commands printed."""
    return "\n".join(f"{trial.case.name}, {trial.shot}: {trial.faults}\n{trial.stderr}" for trial in trials)


def moments(count: int) -> Iterator[Shot]:
    """Yield signals from the first moment to the last one."""
    for number, (signal, to_group, again) in zip(range(count), cycle(MEANS), strict=False):
        yield Shot(signal, 1.05 * number / (count - 1), to_group, again)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_signal_at_any_moment_leaves_nothing(
    case: Case, like: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = list(trials(case, like, tmp_path, moments(SHOTS)))
    faulty = [trial for trial in done if trial.faults]
    interrupted = [trial for trial in done if trial.code]
    ended, gone = ([trial.ended_s for trial in interrupted], [trial.workers_gone_s for trial in interrupted])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{case.name}: {len(done)} signals, {len(interrupted)} interrupted, {len(faulty)} with faults; ended"
            f" after {median(ended):.2f} s (at most {max(ended):.2f}), workers gone after at most {max(gone):.2f} s "
        )
    assert not faulty, described(faulty)
