"""Folders that are removed while a command works: it says so in a sentence, and leaves nothing half."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.cases import AGAIN
from faults.commands import Driver
from faults.kills import spread
from faults.questions import of_a_command
from faults.state import DETECTOR, mismatches, parts, state_of
from faults.workshop import LINEAR, copy_of
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify


@dataclass(frozen=True)
class Loss:
    """A command, and what is moved away while it works."""

    name: str
    command: str
    vanishing: str


LOSSES = (
    Loss("the store of ingest", f"ingest store {AGAIN} --mpp 2 -q", "store"),
    Loss("a section's folder of ingest", f"ingest store {AGAIN} --mpp 2 -q", "store/slides/S1"),
    Loss("the input of ingest", "ingest new --cohort two.csv -q", "input"),
    Loss("the store of embed", "embed store --encoder stain --again -q", "store"),
    Loss("a section's embeddings", "embed store --encoder stain --again -q", "store/embeddings/S1"),
    Loss("the store of train", f"train store -o new {LINEAR}", "store"),
    Loss("the detector that train replaces", f"train store -o det --replace {LINEAR} --no-genes", "det"),
    Loss("the store of detect", "detect store other -o new -q", "store"),
    Loss("a section's predictions", "detect store other -q", "store/predictions/S1"),
    Loss("the output of detect", "detect store det --section S1 --threshold 0.9 -o out -q", "out"),
    Loss("the detector of detect", "detect store other -o new -q", "other"),
    Loss("the output of export", "export store det --format h5ad -o out -q", "out"),
    Loss("the store of report", "report store det -o report.html -q", "store"),
    Loss("the store of store label", "store label store S2 --labels input/S1.csv --positive tumor -q", "store"),
    Loss("the store of gc", "store gc store --all", "store"),
)


QUICK = ("a section's predictions", "the output of detect")


@pytest.mark.parametrize(
    ("loss", "moments"),
    [
        *(pytest.param(loss, 1, id=f"{loss.name}, once") for loss in LOSSES if loss.name in QUICK),
        *(pytest.param(loss, 12, id=loss.name, marks=pytest.mark.slow) for loss in LOSSES),
    ],
)
def test_what_vanishes_is_a_sentence_and_nothing_is_left_half(
    loss: Loss, moments: int, workshop: Path, tmp_path: Path, commands: Driver
) -> None:
    folder = tmp_path / "tried"
    whole = commands.run(copy_of(workshop, folder), loss.command)
    assert whole.code == 0, whole.output
    sums = _sums(folder)
    detectors = [state_of(each) for each in _detectors(folder) + _detectors(workshop)]
    faults = []
    for moment in spread(whole.changes, moments + 2)[1:-1]:
        copy_of(workshop, folder)
        ended = commands.run(folder, loss.command, moment=moment, vanishing=loss.vanishing)
        problems = [*of_a_command(ended), *mismatches(folder)]
        if ended.code not in {0, 1} or (ended.code == 1 and "error: " not in ended.output):
            problems.append(f"ended with {ended.code}: {ended.output[-1500:]}")
        problems += [f"{each} is half a detector" for each in _detectors(folder) if state_of(each) not in detectors]
        for store in {"store", "new"} - {loss.vanishing.partition("/")[0]}:
            problems += verify(SpotStore(folder / store)) if (folder / store / "spacrd.json").exists() else []
        if ended.code == 0:
            problems += [f"{path} has lost something" for path, sum_ in _sums(folder).items() if sums.get(path) != sum_]
        faults += [f"before change {moment} of {whole.changes}: {problem}" for problem in problems]
    assert not faults, "\n".join(faults)


def _detectors(folder: Path) -> list[Path]:
    return [folder / name for name in parts(state_of(folder), DETECTOR)]


def _sums(folder: Path) -> dict[str, str]:
    """Return the checksums of the groups of the stores, by store and path."""
    stores = [folder / name for name in ("store", "new") if (folder / name / "spacrd.json").exists()]
    groups = [
        (each.name, group) for each in stores for entry in SpotStore(each).entries.values() for group in entry.groups
    ]
    return {f"{store}/{group.path}": group.sha256 for store, group in groups}
