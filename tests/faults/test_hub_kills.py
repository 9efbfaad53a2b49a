"""A push or a pull that is killed: the repository has all files of a detector or none, and so has the folder."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_ins.hub import TOKEN, Hub, hub

from faults.commands import Driver, Ended, driver
from faults.kills import spread
from faults.questions import of_a_command
from faults.state import State, below, litter, state_of
from faults.workshop import copy_of

KILLS = 12  # of each command
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab() -> Iterator[Hub]:
    with hub() as server:
        yield server


@pytest.fixture(scope="module")
def online(lab: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A driver whose commands know the local Hub."""
    home = str(tmp_path_factory.mktemp("home"))
    settings = {"HF_ENDPOINT": lab.address, "HF_HOME": home, "HF_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}
    with driver({**settings, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}, home) as process:
        yield process


def test_a_killed_push_has_pushed_all_or_nothing(workshop: Path, tmp_path: Path, lab: Hub, online: Driver) -> None:
    folder, files = copy_of(workshop, tmp_path / "tried"), set(below(state_of(workshop), "det"))
    whole = online.run(folder, "push det lab/whole -q")
    assert whole.code == 0, whole.output
    for number in range(KILLS):
        repo, moment = f"lab/pushed-{number}", whole.cpu_seconds * (number + 0.5) / KILLS
        killed = online.run(folder, f"push det {repo} -q", cpu_seconds=moment)
        assert _pushed(lab, repo) in (set(), files)
        rerun = online.run(folder, f"push det {repo} -q")
        assert rerun.code == 0, rerun.output
        assert _pushed(lab, repo) == files
        assert not _faults(folder, killed, rerun)


def test_a_killed_pull_leaves_a_whole_detector_or_the_one_before(
    workshop: Path, tmp_path: Path, lab: Hub, online: Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_of(workshop, tmp_path / "tried")
    old, new, count = below(state_of(folder), "det"), _pull(folder, "lab/whole", lab, online)[0], 0
    whole = online.run(copy_of(workshop, folder), "pull lab/whole det --replace -q")
    for moment in spread(whole.changes, KILLS):
        copy_of(workshop, folder)
        killed = online.run(folder, "pull lab/whole det --replace -q", moment=moment)
        count += killed.killed
        assert below(state_of(folder), "det") in (old, new)
        now, rerun = _pull(folder, "lab/whole", lab, online)
        assert now == new
        assert not _faults(folder, killed, rerun)
    with capsys.disabled():
        sys.stdout.write(f"\n{'pull --replace':34} {count:4} kills ")


def _pull(folder: Path, repo: str, lab: Hub, online: Driver) -> tuple[State, Ended]:
    if repo not in lab.repositories:
        assert online.run(folder, f"push other {repo} -q").code == 0
    ended = online.run(folder, f"pull {repo} det --replace -q")
    assert ended.code == 0, ended.output
    return below(state_of(folder), "det"), ended


def _pushed(lab: Hub, repo: str) -> set[str]:
    _, files = (lab.repositories[repo].at("main") if repo in lab.repositories else None) or ("", {})
    return {f"det/{name}" for name in files} - {"det/.gitattributes"}


def _faults(folder: Path, *commands: Ended) -> list[str]:
    return [*(fault for command in commands for fault in of_a_command(command)), *litter(state_of(folder))]
