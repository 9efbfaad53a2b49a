"""A full disk, or one that cannot be written: one sentence, the old files whole, nothing half, and a rerun ends it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.disk.disks import PAGE, Disk, Limit, disk
from faults.disk.driver import Driver, driver
from faults.disk.ground import COMMANDS, make_ground
from faults.disk.trials import Trials

FEW = (
    ("detect -o", Limit("bytes", 20 * PAGE)),
    ("export h5ad over", Limit("inodes", 1)),
)
FILE_BYTES = (0, 100, 1000, 5000, 25_000, 125_000)
FREE_PAGES, FREE_INODES = (0, 1, 4, 16, 64), (0, 1, 3, 9)
ALL = (
    *(Limit("file", amount) for amount in FILE_BYTES),
    *(Limit("bytes", pages * PAGE) for pages in FREE_PAGES),
    *(Limit("inodes", amount) for amount in FREE_INODES),
    *(Limit("read-only"), Limit("right")),
)


@pytest.fixture(scope="module")
def trials(workshop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """In the workshop of the other faults, which is made once."""
    with _limited(tmp_path_factory.mktemp("disk")) as (commands, place):
        yield Trials(commands, workshop, place)


@pytest.fixture(scope="module")
def all_trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """Where every command has something to write over."""
    ground = tmp_path_factory.mktemp("ground") / "made"
    with _limited(tmp_path_factory.mktemp("disk")) as (commands, place):
        make_ground(ground, commands)
        yield Trials(commands, ground, place)


@contextmanager
def _limited(folder: Path) -> Iterator[tuple[Driver, Disk]]:
    (folder / "temporary").mkdir()
    with driver(folder / "temporary") as commands, disk(folder / "place") as place:
        yield commands, place


def _skip_without_mount(trials: Trials, limit: Limit) -> None:
    if limit.needs_mount and not trials.disk.mounted:
        pytest.skip("no file system can be mounted here")


@pytest.mark.parametrize(("name", "limit"), FEW, ids=lambda value: getattr(value, "kind", value))
def test_what_a_command_on_a_full_disk_leaves_is_whole(name: str, limit: Limit, trials: Trials) -> None:
    _skip_without_mount(trials, limit)
    refused = trials.counts["refused"]
    assert not trials.faults(name, limit)
    assert trials.counts["refused"] == refused + 1


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_no_limit_breaks_a_command(name: str, all_trials: Trials) -> None:
    limits = [limit for limit in ALL if all_trials.disk.mounted or not limit.needs_mount]
    faults = [fault for limit in limits for fault in all_trials.faults(name, limit)]
    sys.stderr.write(f"{name}: {len(limits)} limits; so far {all_trials.counts}\n")
    assert not faults, "\n".join(faults)
