"""Damage the files of a seed one at a time, in the order of a random generator, and judge how each is read."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from fuzz.containers import damage_for
from fuzz.seed import Seed
from fuzz.trial import Outcome, attempt
from fuzz.watched import contents, watched


@dataclass(frozen=True)
class Trial:
    """The damage of one file, and how reading it ended."""

    seed: str
    number: int
    file: str
    damage: str
    outcome: Outcome

    def __str__(self) -> str:
        return f"{self.seed} {self.number}, {self.damage} of {self.file}: {self.outcome.fault}"


def trials(seed: Seed, folder: Path, numbers: range) -> Iterator[Trial]:
    """Yield one trial for every number; the same number is the same damage. Without damage, the files must be read."""
    whole, tried = folder / "whole", folder / "tried"
    whole.mkdir(parents=True)
    seed.write(whole)
    shutil.copytree(whole, tried)
    seed.read(tried)  # also imports what the trials need, outside their bounds
    shutil.rmtree(tried)
    for number in numbers:
        random = Random(f"{seed.name} {number}")  # noqa: S311 - the same damage in every run, no secret
        file = random.choice(seed.files(whole)).relative_to(whole)
        change = random.choice(damage_for(file.name))
        shutil.copytree(whole, tried)
        (tried / file).write_bytes(change((whole / file).read_bytes(), random))
        outcome = _watched_attempt(seed, tried)
        yield Trial(seed.name, number, str(file), change.__qualname__, outcome)
        shutil.rmtree(tried)


def _watched_attempt(seed: Seed, folder: Path) -> Outcome:
    """Return how reading ended; that anything was written, changed or started elsewhere is a fault."""
    before = contents(folder)
    with watched(folder) as seen:
        outcome = attempt(lambda: seed.read(folder))
    if seen:
        return replace(outcome, fault=f"{outcome.fault} it did outside: {'; '.join(seen[:3])}")
    if not seed.writes and contents(folder) != before:
        return replace(outcome, fault=f"{outcome.fault} the files were changed")
    return outcome
