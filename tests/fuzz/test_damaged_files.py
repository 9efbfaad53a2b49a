"""Whatever happened to a file, it is read, or refused with a sentence that is ours: in ten seconds and one gigabyte."""

import sys
from pathlib import Path

import pytest

from fuzz.rounds import trials
from fuzz.seed import Seed
from fuzz.seeds import SEEDS

FEW, MANY = 2, 152  # of a seed; all together some 120 and 8,700
MOST_READ = 0.9  # a seed whose damage is rarely noticed tests nothing

each_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)


@pytest.mark.ci_cases(12)
@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_files_without_damage_are_read_and_some_damaged_ones_end_as_they_should(seed: Seed, tmp_path: Path) -> None:
    _require(seed)
    faults = [str(trial) for trial in trials(seed, tmp_path, range(FEW)) if trial.outcome.fault]
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@each_seed
def test_damaged_files_end_as_they_should(seed: Seed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _require(seed)
    done = list(trials(seed, tmp_path, range(FEW, MANY)))
    refused = sum(trial.outcome.refused for trial in done)
    with capsys.disabled():
        sys.stdout.write(f"\n{seed.name}: {len(done)} damaged files, {len(done) - refused} read, {refused} refused ")
    faults = [str(trial) for trial in done if trial.outcome.fault]
    assert not faults, "\n".join(faults)
    assert refused > (1 - MOST_READ) * len(done)


@pytest.mark.slow
def test_there_are_five_thousand_damaged_files() -> None:
    assert len(SEEDS) * (MANY - FEW) >= 5000


def _require(seed: Seed) -> None:
    if seed.needs:
        pytest.importorskip(seed.needs)
