"""Kill a command at many moments, and ask the questions after every kill and after every rerun."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.cases import Case
from faults.commands import Driver, Ended
from faults.questions import after_a_kill, after_the_rerun, entries_of, of_a_command
from faults.state import litter, state_of, without_garbage
from faults.workshop import copy_of

MOST_CPU = 3.0  # times that of an uninterrupted run, and some seconds, for a rerun
SECONDS_MORE = 3.0
YEARS = (0, 1, -1)  # by which the clock is wrong when a command is killed
Kill = dict[str, Any]


@dataclass
class Trials:
    """The kills of one command: how many took place, at which kind of moment, and what was wrong."""

    name: str
    kills: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.kills.items()))
        return f"{self.name:34} {self.kills.total():4} kills ({kinds}), {len(self.faults)} faults"


def kill_often(case: Case, workshop: Path, place: Path, driver: Driver, *, operations: int, times: int) -> Trials:
    """Kill a command before some of its changes of files, and at some moments of its computing."""
    trials, template = Trials(case.name), copy_of(workshop, place / "template")
    for command in case.before:
        ended = driver.run(template, command)
        assert ended.code == 0, f"{command}: {ended.output}"
    before = state_of(template), entries_of(template)
    folder = place / "tried"
    whole = driver.run(copy_of(template, folder), case.command)
    assert whole.code == 0, f"{case.command}: {whole.output}"
    trials.faults += [*of_a_command(whole), *(f"left: {path}" for path in set(litter(state_of(folder))))]
    entries = entries_of(folder)
    after = without_garbage(folder), entries
    for number, kill in enumerate(kills(case, whole, operations, times)):
        ended = driver.run(copy_of(template, folder), case.command, **kill)
        if not ended.killed and kill.get("victim") != "worker":
            continue  # it came to its end before
        trials.kills[_kind(kill)] += 1
        set_clock(folder, YEARS[number % len(YEARS)])
        rerun_faults = [*of_a_command(ended), *after_a_kill(folder, before, after)]
        rerun = driver.run(folder, case.command)
        rerun_faults += [*of_a_command(rerun), *after_the_rerun(folder, rerun, after, case.refusal)]
        if rerun.cpu_seconds > MOST_CPU * whole.cpu_seconds + SECONDS_MORE:
            rerun_faults.append(f"the rerun took {rerun.cpu_seconds:.1f} s of CPU, not {whole.cpu_seconds:.1f}")
        trials.faults += [f"{case.name}, {kill}: {fault}" for fault in rerun_faults]
    return trials


def kills(case: Case, whole: Ended, operations: int, times: int) -> Iterator[Kill]:
    """Yield moments spread over a command, the last changes of files among them: those replace what was there."""
    for moment in spread(whole.changes, operations):
        yield {"moment": moment}
    for number in range(times):
        yield {"cpu_seconds": whole.cpu_seconds * (number + 0.5) / times}
    if case.has_workers:
        for number in range(times):
            for victim in ("parent", "worker"):
                yield {"victim": victim, "seconds": whole.seconds * (number + 0.5) / times}


def set_clock(folder: Path, years: int) -> None:
    """Date all files below a folder as if the clock had been wrong when they were written."""
    moment = time.time() + years * 365 * 86_400
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment), follow_symlinks=False)


def spread(changes: int, count: int) -> list[int]:
    """Return some of the numbers of changes, the first and the last few among them."""
    if changes <= count:
        return list(range(1, changes + 1))
    late = min(4, (count + 1) // 2)
    early = {1 + (changes - late - 1) * number // (count - late) for number in range(count - late)}
    return sorted(early | {changes - 2 * number for number in range(late)})


def _kind(kill: Kill) -> str:
    if "moment" in kill:
        return "before a change"
    return f"of the {kill['victim']}" if "victim" in kill else "by time"
