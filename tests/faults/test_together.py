"""Commands that work at once in one store, or write to one place: nothing is lost, and nothing is mixed."""

import sys
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from faults.cases import AGAIN
from faults.commands import Driver, Ended
from faults.questions import of_a_command
from faults.state import State, below, litter, mismatches, state_of, stores
from faults.workshop import LINEAR, THIRD, copy_of
from spacrd_core.store.garbage import collect_garbage
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify

PLACES = ("store", "link", "{folder}/store")  # of one store: relative, by a link, and absolute
AT_ONCE = (
    (f"ingest {{store}} {AGAIN} -q", f"ingest {{store}} {AGAIN} --mpp 2 -q"),
    (f"ingest {{store}} {THIRD}", "store rm {store} S3 -q"),
    ("embed {store} --encoder stain -q", "embed {store} --encoder stain --again -q"),
    ("embed {store} --encoder stain --again -q", "embed {store} --encoder stain -q"),
    ("detect {store} det -q", "detect {store} det -q"),
    ("detect {store} other -q", "detect {store} det --threshold 0.7 -q"),
    ("store gc {store}", "store gc {store}", "store gc {store}"),
    (
        "store label {store} S2 --labels input/S1.csv --positive tumor -q",
        "store rm {store} S3 -q",
        f"ingest {{store}} {THIRD}",
    ),
)
SETTLE = (
    f"ingest store {AGAIN} --mpp 0.5 -q",  # what was given before is kept otherwise
    f"ingest store {THIRD} --replace",
    "store label store S2 --labels input/S2.csv --positive tumor -q",
    "embed store --encoder stain --set encoder.normalised=true -q",  # those of S1 went with its slide
    "embed store --encoder stain --again -q",
    "detect store det -q",
    "detect store other -q",
)
REASONS = (  # why a command may end with 1 while others change the store
    "has no section",
    "no embeddings by",
    "was replaced while this command ran",
    "has ingested",
    "already has another section",
    "another process",
    "is missing from the store",
)
Contents = dict[str, list[str]]


@pytest.fixture(scope="module")
def settled(workshop: Path, tmp_path_factory: pytest.TempPathFactory, commands: Driver) -> Contents:
    """What the store holds after its commands have run one after the other."""
    folder = copy_of(workshop, tmp_path_factory.mktemp("settled") / "tried")
    return _settle(folder, commands)


def test_eight_processes_in_one_store_end_with_a_sound_store(workshop: Path, tmp_path: Path, commands: Driver) -> None:
    assert not _round(0, workshop, tmp_path, commands)


@pytest.mark.slow
def test_eight_processes_in_one_store_lose_nothing_in_twenty_rounds(
    workshop: Path, settled: Contents, tmp_path: Path, commands: Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = [_round(number, workshop, tmp_path, commands, settled) for number in range(20)]
    with capsys.disabled():
        sys.stdout.write(f"\n{len(rounds)} rounds of {len(AT_ONCE)} processes, {sum(map(len, rounds))} faults ")
    assert not any(rounds), "\n".join(fault for faults in rounds for fault in faults)


def _round(number: int, workshop: Path, tmp_path: Path, commands: Driver, settled: Contents | None = None) -> list[str]:
    folder = copy_of(workshop, tmp_path / "tried")
    (folder / "link").symlink_to("store")
    every = AT_ONCE if settled else [script[:1] for script in AT_ONCE]
    scripts = Random(number).sample(every, len(every))  # noqa: S311 - the same order in every run, no secret
    runs = [
        [command.format(store=place.format(folder=folder)) for command in script]
        for script, place in zip(scripts, cycle(PLACES))
    ]
    ended = [command for run in commands.together(folder, runs) for command in run]
    faults = [fault for command in ended for fault in (*of_a_command(command), *_unexplained(command))]
    faults += verify(SpotStore(folder / "store"))
    (folder / "link").unlink()
    if settled and _settle(folder, commands) != settled:
        faults.append("the store differs from that of commands one after the other")
    collect_garbage(SpotStore(folder / "store"), grace_seconds=0)
    faults += [f"left: {path}" for path in litter(state_of(folder))]
    return [f"round {number}: {fault}" for fault in faults]


def _settle(folder: Path, commands: Driver) -> Contents:
    (ended,) = commands.together(folder, [SETTLE])
    for command in ended:
        assert command.code == 0, command.output
    (store,) = [store for store in stores(folder) if store.path.name == "store"]
    assert verify(SpotStore(store.path)) == []
    collect_garbage(store, grace_seconds=0)
    return {
        name: sorted(f"{group.path.partition('/')[0]} {group.sha256}" for group in entry.groups)
        for name, entry in store.entries.items()
    }


def _unexplained(ended: Ended) -> list[str]:
    if ended.code == 0 or (ended.code == 1 and any(reason in ended.output for reason in REASONS)):
        return []
    return [f"ended with {ended.code}: {ended.output}"]


TWO = {
    "trainings into a new folder": (f"train store -o new {LINEAR}", f"train store -o new {LINEAR} --no-genes"),
    "trainings in the place of a detector": (
        f"train store -o det --replace {LINEAR} --set first_seed=7",
        f"train store -o det --replace {LINEAR} --no-genes",
    ),
    "calls into one folder": (
        "detect store det -o new -q",
        "detect store det --threshold 0.9 -o new -q",
    ),
    "calls in the place of others": (
        "detect store det --section S1 --threshold 0.8 -o out -q",
        "detect store det --section S1 --threshold 0.9 -o out -q",
    ),
    "exports": ("export store det --format csv -o new -q", "export store other --format csv -o new -q"),
    "reports": ("report store det -o new/report.html -q", "report store other -o new/report.html -q"),
}
ALREADY, SAID = "contains a detector already", "another training wrote detector"
BEFORE = {"exports": "detect store other -q", "reports": "detect store other -q"}


@pytest.mark.slow
@pytest.mark.parametrize("name", TWO)
def test_of_two_commands_that_write_to_one_place_one_wins_whole(
    name: str, workshop: Path, tmp_path: Path, commands: Driver
) -> None:
    template = copy_of(workshop, tmp_path / "template")
    if name in BEFORE:
        assert commands.run(template, BEFORE[name]).code == 0
    place = TWO[name][0].partition("-o ")[2].split()[0].partition("/")[0]
    alone = [_written(copy_of(template, tmp_path / "tried"), command, place, commands) for command in TWO[name]]
    for order in range(6):
        folder = copy_of(template, tmp_path / "tried")
        pair = TWO[name][:: -1 if order % 2 else 1]
        ended = [run[0] for run in commands.together(folder, [[command] for command in pair])]
        assert [command for command in ended if command.code and ALREADY not in command.output] == []
        assert "trainings" not in name or any(SAID in command.output or command.code for command in ended)
        assert not [fault for command in ended for fault in of_a_command(command)]
        assert below(state_of(folder), place) in alone
        assert not [*mismatches(folder), *litter(state_of(folder))]


def _written(folder: Path, command: str, place: str, commands: Driver) -> State:
    ended = commands.run(folder, command)
    assert ended.code == 0, ended.output
    return below(state_of(folder), place)
