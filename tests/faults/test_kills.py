"""A command that is killed at any moment leaves what was finished, and its rerun ends as if nothing had happened."""

import sys
from pathlib import Path

import pytest

from faults.cases import CASES, WITH_WORKERS, Case
from faults.commands import Driver
from faults.kills import kill_often

FEW = {"operations": 1, "times": 0}
MANY = {"operations": 14, "times": 6}
MANY_OF_WORKERS = {"operations": 4, "times": 3}
QUICK = ("ingest one more",)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in QUICK], ids=lambda case: case.name)
def test_a_killed_command_leaves_all_whole_and_its_rerun_ends_it(
    case: Case, workshop: Path, tmp_path: Path, commands: Driver
) -> None:
    trials = kill_often(case, workshop, tmp_path, commands, **FEW)
    assert not trials.faults, "\n".join(trials.faults)
    assert trials.kills


@pytest.mark.slow
@pytest.mark.parametrize("case", [*CASES, *WITH_WORKERS], ids=lambda case: case.name)
def test_a_command_killed_often_leaves_all_whole_and_its_reruns_end_it(
    case: Case, workshop: Path, tmp_path: Path, commands: Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    many = MANY_OF_WORKERS if case.has_workers else MANY
    trials = kill_often(case, workshop, tmp_path, commands, **many)
    with capsys.disabled():
        sys.stdout.write(f"\n{trials} ")
    assert not trials.faults, "\n".join(trials.faults)
    assert trials.kills
