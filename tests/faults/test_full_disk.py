"""A full disk, or one that cannot be written: one sentence, the old files whole, nothing half, and a rerun ends it."""

import sys
from collections.abc import Iterator

import pytest

from faults.disk.disks import PAGE, Limit, disk
from faults.disk.driver import driver
from faults.disk.ground import COMMANDS, add_exports, make_ground
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
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    folder = tmp_path_factory.mktemp("disk")
    (folder / "temporary").mkdir()
    with driver(folder / "temporary") as commands, disk(folder / "place") as place:
        make_ground(folder / "ground", commands)
        yield Trials(commands, folder / "ground", place)


@pytest.fixture(scope="module")
def exported(trials: Trials) -> Trials:
    add_exports(trials.ground, trials.driver)
    return trials


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
def test_no_limit_breaks_a_command(name: str, exported: Trials) -> None:
    limits = [limit for limit in ALL if exported.disk.mounted or not limit.needs_mount]
    faults = [fault for limit in limits for fault in exported.faults(name, limit)]
    sys.stderr.write(f"{name}: {len(limits)} limits; so far {exported.counts}\n")
    assert not faults, "\n".join(faults)
